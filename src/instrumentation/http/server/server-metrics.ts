import type {
  Attributes,
  Context,
  Histogram,
  HrTime,
  Meter,
  Span,
  UpDownCounter,
} from '@opentelemetry/api';

import {
  ERROR_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  NETWORK_PROTOCOL_VERSION,
  URL_SCHEME,
} from '../attributes.ts';

/** Buckets that the conventions advise for `http.server.request.duration`, in seconds. */
const DURATION_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** The instruments of HTTP servers, of one meter. */
export class ServerMetrics {
  readonly meter: Meter;
  readonly #duration: Histogram;
  readonly #active: UpDownCounter;

  constructor(meter: Meter) {
    this.meter = meter;
    this.#duration = meter.createHistogram('http.server.request.duration', {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    });
    this.#active = meter.createUpDownCounter('http.server.active_requests', {
      description: 'Number of active HTTP server requests.',
      unit: '{request}',
    });
  }

  /** Begins to measure a request. */
  start(method: string, scheme: string, version: string): Measurement {
    const attributes = { [HTTP_REQUEST_METHOD]: method, [URL_SCHEME]: scheme };
    this.#active.add(1, attributes);
    return new Measurement(this.#duration, this.#active, attributes, version);
  }
}

/** The measurement of one request. */
export class Measurement {
  readonly #duration: Histogram;
  readonly #active: UpDownCounter;
  readonly #attributes: Attributes;
  readonly #version: string;
  readonly #startedAt = performance.now();

  constructor(duration: Histogram, active: UpDownCounter, attributes: Attributes, version: string) {
    this.#duration = duration;
    this.#active = active;
    this.#attributes = attributes;
    this.#version = version;
  }

  end(
    span: Span,
    context: Context,
    status: number | undefined,
    route: string | undefined,
    errorType: string | undefined,
  ): void {
    this.#active.add(-1, this.#attributes);
    const attributes: Attributes = {
      ...this.#attributes,
      [NETWORK_PROTOCOL_VERSION]: this.#version,
    };
    if (status !== undefined) attributes[HTTP_RESPONSE_STATUS_CODE] = status;
    if (route !== undefined) attributes[HTTP_ROUTE] = route;
    if (errorType !== undefined) attributes[ERROR_TYPE] = errorType;
    this.#duration.record(this.#seconds(span), attributes, context);
  }

  /** What the span says, so that both agree; the SDK's have it. */
  #seconds(span: Span): number {
    const { duration } = span as { duration?: HrTime };
    if (duration === undefined) return (performance.now() - this.#startedAt) / 1000;
    return duration[0] + duration[1] / 1e9;
  }
}
