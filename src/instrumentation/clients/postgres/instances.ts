import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { endpointFrom, UNKNOWN_ENDPOINT } from './describe.ts';
import type { PostgresOptions, PostgresQuery } from './shapes.ts';

/*
 * What `postgres()` returned, known by the one function that all of its queries hold: those of the
 * instance itself, of its transactions and of its reserved connections. Written when an instance is
 * introduced, read when a query starts; an entry lives as long as that function.
 */
const instances = new WeakMap<object, Instance>();

/** An instance, which is a pool of connections. How many are open it tells nobody. */
export class Instance {
  readonly endpoint: Endpoint;
  /** Whether statements are prepared unless they say otherwise. */
  readonly prepares: boolean;
  readonly #max: number | undefined;
  #pending = 0;

  constructor(endpoint: Endpoint, { prepare, max }: PostgresOptions) {
    this.endpoint = endpoint;
    this.prepares = prepare !== false;
    this.#max = max;
  }

  waiting(): void {
    this.#pending++;
  }

  served(): void {
    this.#pending--;
  }

  static read(this: void, instance: Instance): PoolReading {
    return { pending: instance.#pending, max: instance.#max };
  }
}

const UNKNOWN = new Instance(UNKNOWN_ENDPOINT, {});

export function instanceOf({ canceller }: PostgresQuery): Instance {
  return (canceller && instances.get(canceller)) || UNKNOWN;
}

/** Introduces the instance that `query` is of. */
export function introduce({ canceller }: PostgresQuery, options: PostgresOptions): void {
  if (!canceller || instances.has(canceller)) return;
  instances.set(canceller, new Instance(endpointFrom(options), options));
}
