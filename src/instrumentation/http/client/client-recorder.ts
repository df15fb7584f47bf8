import {
  context,
  SpanKind,
  trace,
  type Context,
  type Histogram,
  type Meter,
  type TracerProvider,
} from '@opentelemetry/api';

import { Providers } from '../../recorder/providers.ts';
import { isDropped } from '../../recorder/sampling.ts';
import { isSuppressed } from '../../../carry/suppression.ts';
import { areCallsLeft, isCall, methodOfCall, RPC_METHOD, RPC_SYSTEM_NAME } from '../grpc.ts';
import { showMethod } from '../known-methods.ts';
import { pathOf } from '../path-patterns.ts';
import { isRecordedRequest } from '../recorded-requests.ts';
import { addHeaders, attributesOf } from './client-attributes.ts';
import { ClientCall } from './client-call.ts';
import type { ResolvedHttpClientConfig } from './client-config.ts';
import { guard } from '../guard.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { resendCount } from './resends.ts';

/** Buckets that the conventions advise for `http.client.request.duration`, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What is to be done with a request. */
export interface StartedRequest {
  /** What the trace headers tell of. */
  readonly context: Context;
  /** The recording; undefined where nobody would see one. */
  readonly call: ClientCall | undefined;
}

/** Makes spans and measurements of outgoing requests. */
export class HttpClientRecorder {
  readonly providers: Providers;
  /** May be replaced at any time; requests under way keep the one they started with. */
  config: ResolvedHttpClientConfig;
  #meter: Meter | undefined;
  #duration: Histogram | undefined;
  #isAside = false;
  #isLeft = false;
  /** Called when requests are left to another tool. */
  onAside: (() => void) | undefined;

  constructor(scope: string, version: string, config: ResolvedHttpClientConfig) {
    this.providers = new Providers(scope, version);
    this.config = config;
  }

  /**
   * Uses `provider` from now on. One that is known to make no spans leaves requests to another tool; the
   * API's proxy may make some later.
   */
  setTracerProvider(provider: TracerProvider): void {
    this.providers.setTracerProvider(provider);
    this.#isAside = !('getDelegate' in provider) && this.providers.tracer === undefined;
    if (this.#isAside) this.onAside?.();
  }

  /** Leaves requests to another tool, for good. */
  leave(): void {
    this.#isLeft = true;
    this.onAside?.();
  }

  /**
   * Starts a request in the context that is active now; undefined where it is to be left as it is: it
   * is ignored or our own, another tool sees to it, or nobody would see anything.
   */
  start(request: OutgoingRequest): StartedRequest | undefined {
    if (!this.isListening) return undefined;
    return guard('record a request', () => this.#start(request));
  }

  /** Whether a request that starts in the context that is active now may be recorded. */
  get isListening(): boolean {
    if (this.#isAside || this.#isLeft || isSuppressed(context.active())) return false;
    return this.providers.tracer !== undefined || this.#durations() !== undefined;
  }

  #start(request: OutgoingRequest): StartedRequest | undefined {
    const { config } = this;
    const parent = context.active();
    if (config.requireParent && trace.getSpanContext(parent) === undefined) return undefined;
    if (config.isIgnored?.(request) === true) return undefined;
    const isRpc = isHttp2Call(request);
    // The trace headers are those of that instrumentation's span.
    if (isRpc && areCallsLeft()) return undefined;
    if (isRecordedRequest(parent, request)) return { context: parent, call: undefined };
    const { tracer, dropped } = this.providers;
    const duration = this.#durations();
    const isUnseen = tracer === undefined || (dropped !== 'nothing' && isDropped(dropped, parent));
    if (isUnseen && duration === undefined) return { context: parent, call: undefined };
    const shown = showMethod(request.method, config.knownMethods);
    const template =
      config.urlTemplate && guard('call urlTemplate', () => config.urlTemplate?.(request));
    const { url, method } = request;
    const resends = resendCount(parent, method, url);
    const attributes = attributesOf(request, shown, template, resends);
    addHeaders(attributes, config.requestHeaders, (name) => request.header(name));
    // What a generated client calls is one of few methods.
    const called = isRpc ? methodOfCall(pathOf(request.path)) : undefined;
    if (called !== undefined) {
      attributes[RPC_SYSTEM_NAME] = 'grpc';
      attributes[RPC_METHOD] = called;
    }
    const name = called ?? (template === undefined ? shown.name : `${shown.name} ${template}`);
    const span = isUnseen
      ? undefined
      : tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent);
    const { requestHook } = config;
    if (requestHook && span?.isRecording()) {
      guard('call requestHook', () => requestHook(span, request));
    }
    const call = new ClientCall({
      config,
      attributes,
      parent,
      span,
      duration,
      method,
      url,
      resends,
    });
    return { context: call.context, call };
  }

  #durations(): Histogram | undefined {
    const { meter } = this.providers;
    if (meter !== this.#meter) {
      this.#meter = meter;
      this.#duration = meter?.createHistogram('http.client.request.duration', {
        description: 'Duration of HTTP client requests.',
        unit: 's',
        advice: { explicitBucketBoundaries: BUCKETS },
      });
    }
    return this.#duration;
  }
}

/** Whether a request is a call of gRPC. */
function isHttp2Call({ api, header }: OutgoingRequest): boolean {
  return api === 'http2' && isCall(header('content-type'));
}
