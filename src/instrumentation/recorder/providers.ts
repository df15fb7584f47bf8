import {
  createNoopMeter,
  metrics,
  ProxyTracerProvider,
  trace,
  type Histogram,
  type Meter,
  type MeterProvider,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

import { droppedBy, type Dropped } from './sampling.ts';

/*
 * The tracer and the instruments of one instrumentation scope, made anew whenever another provider
 * is registered. Both are `undefined` as long as nobody has registered one: that is how the rest of
 * the recorder knows to do nothing.
 */

const NOOP_TRACER_PROVIDER = new ProxyTracerProvider().getDelegate();
const NOOP_METER = createNoopMeter();

/** Buckets that the conventions advise for `db.client.operation.duration`, in seconds. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
/** And for `db.client.response.returned_rows`. */
const ROW_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export class Providers {
  readonly scope: string;
  readonly version: string;
  #tracerProvider: TracerProvider | undefined;
  #meterProvider: MeterProvider | undefined;
  #tracedBy: TracerProvider | undefined;
  #measuredBy: MeterProvider | undefined;
  #tracer: Tracer | undefined;
  #dropped: Dropped = 'nothing';
  #meter: Meter | undefined;
  #duration: Histogram | undefined;
  #returnedRows: Histogram | undefined;

  constructor(scope: string, version: string) {
    this.scope = scope;
    this.version = version;
  }

  /** Uses `provider` from now on, in place of the one registered globally. */
  setTracerProvider(provider: TracerProvider): void {
    this.#tracerProvider = provider;
  }

  /**
   * Uses `provider` from now on. One that measures nothing is not taken: it stands for the global
   * one, which the metrics API cannot forward to a provider that is registered later.
   */
  setMeterProvider(provider: MeterProvider): void {
    const measures = !isNoopMeter(provider.getMeter(this.scope, this.version));
    this.#meterProvider = measures ? provider : undefined;
  }

  get tracer(): Tracer | undefined {
    const provider = delegateOf(this.#tracerProvider ?? trace.getTracerProvider());
    if (provider !== this.#tracedBy) {
      this.#tracedBy = provider;
      this.#tracer = isNoop(provider) ? undefined : provider.getTracer(this.scope, this.version);
      this.#dropped = this.#tracer ? droppedBy(this.#tracer) : 'nothing';
    }
    return this.#tracer;
  }

  /** What the tracer that was last asked for drops. */
  get dropped(): Dropped {
    return this.#dropped;
  }

  get meter(): Meter | undefined {
    const provider = this.#meterProvider ?? metrics.getMeterProvider();
    if (provider !== this.#measuredBy) {
      this.#measuredBy = provider;
      const meter = provider.getMeter(this.scope, this.version);
      this.#meter = isNoopMeter(meter) ? undefined : meter;
      this.#duration = undefined;
      this.#returnedRows = undefined;
    }
    return this.#meter;
  }

  get duration(): Histogram | undefined {
    const { meter } = this;
    this.#duration ??= meter?.createHistogram('db.client.operation.duration', {
      description: 'Duration of database client operations.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    });
    return this.#duration;
  }

  get returnedRows(): Histogram | undefined {
    const { meter } = this;
    this.#returnedRows ??= meter?.createHistogram('db.client.response.returned_rows', {
      description: 'The actual number of records returned by the database operation.',
      unit: '{row}',
      advice: { explicitBucketBoundaries: ROW_BUCKETS },
    });
    return this.#returnedRows;
  }
}

/** The provider behind the API's proxy, which would hide that there is none. */
function delegateOf(provider: TracerProvider): TracerProvider {
  const proxy = provider as Partial<ProxyTracerProvider>;
  return typeof proxy.getDelegate === 'function' ? proxy.getDelegate() : provider;
}

// Another copy of the API has other classes of the same names. The names are written out: in a bundle
// our copy's may be so short that a class of somebody else's has the same.
function isNoop({ constructor }: TracerProvider): boolean {
  return (
    constructor === NOOP_TRACER_PROVIDER.constructor || constructor.name === 'NoopTracerProvider'
  );
}

function isNoopMeter({ constructor }: Meter): boolean {
  return constructor === NOOP_METER.constructor || constructor.name === 'NoopMeter';
}
