import {
  createNoopMeter,
  metrics,
  ProxyTracerProvider,
  trace,
  type Histogram,
  type MeterProvider,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

/*
 * The tracer and the instruments of one instrumentation scope, made anew whenever another provider
 * is registered. Both are `undefined` as long as nobody has registered one: that is how the rest of
 * the recorder knows to do nothing.
 */

const NOOP_TRACER_PROVIDER = new ProxyTracerProvider().getDelegate();
const NOOP_METER = createNoopMeter();

/** Buckets that the conventions advise for `db.client.operation.duration`, in seconds. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export class Providers {
  readonly scope: string;
  readonly version: string;
  #tracerProvider: TracerProvider | undefined;
  #meterProvider: MeterProvider | undefined;
  #tracedBy: TracerProvider | undefined;
  #measuredBy: MeterProvider | undefined;
  #tracer: Tracer | undefined;
  #duration: Histogram | undefined;

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
    const measures = provider.getMeter(this.scope, this.version) !== NOOP_METER;
    this.#meterProvider = measures ? provider : undefined;
  }

  get tracer(): Tracer | undefined {
    const provider = delegateOf(this.#tracerProvider ?? trace.getTracerProvider());
    if (provider !== this.#tracedBy) {
      this.#tracedBy = provider;
      this.#tracer = isNoop(provider) ? undefined : provider.getTracer(this.scope, this.version);
    }
    return this.#tracer;
  }

  get duration(): Histogram | undefined {
    const provider = this.#meterProvider ?? metrics.getMeterProvider();
    if (provider !== this.#measuredBy) {
      this.#measuredBy = provider;
      const meter = provider.getMeter(this.scope, this.version);
      this.#duration =
        meter === NOOP_METER
          ? undefined
          : meter.createHistogram('db.client.operation.duration', {
              description: 'Duration of database client operations.',
              unit: 's',
              advice: { explicitBucketBoundaries: DURATION_BUCKETS },
            });
    }
    return this.#duration;
  }
}

/** The provider behind the API's proxy, which would hide that there is none. */
function delegateOf(provider: TracerProvider): TracerProvider {
  const proxy = provider as Partial<ProxyTracerProvider>;
  return typeof proxy.getDelegate === 'function' ? proxy.getDelegate() : provider;
}

function isNoop(provider: TracerProvider): boolean {
  // Another copy of the API has another class of the same name.
  return (
    provider === NOOP_TRACER_PROVIDER ||
    provider.constructor.name === NOOP_TRACER_PROVIDER.constructor.name
  );
}
