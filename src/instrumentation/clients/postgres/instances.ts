import { CallScope } from '../../../carry/call-scope.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { endpointFrom, UNKNOWN_ENDPOINT } from './attributes.ts';
import type { PostgresOptions, PostgresQuery } from './library-types.ts';

/*
 * Finds the instance that `postgres()` returned, by the one function that all of its queries hold:
 * those of the instance itself, of its transactions and of its reserved connections. Set when an
 * instance is registered, read when a query starts; an entry is collected with that function.
 */
const instances = new WeakMap<object, Instance>();

/** An instance, which is a pool of connections. It does not reveal how many are open. */
export class Instance {
  readonly endpoint: Endpoint;
  /** Whether statements are prepared by default. */
  readonly prepares: boolean;
  /** Whether functions in its options need to know the query they are called for. */
  isHeard = false;
  readonly #max: number | undefined;
  readonly #underWay = new Map<PostgresQuery, OperationResource>();
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

  /** Marks `query` as under way until `over` is called, for the functions in the options. */
  begin(query: PostgresQuery, operation: OperationResource): void {
    this.#underWay.set(query, operation);
  }

  over(query: PostgresQuery): void {
    this.#underWay.delete(query);
  }

  /**
   * Returns the only query that is running or waiting for a connection; undefined if there are
   * more.
   */
  onlyCall(): OperationResource | undefined {
    const all = [...this.#underWay];
    const busy = all.filter(([{ active }]) => active === true);
    const [only, ...others] = busy.length > 0 ? busy : all;
    return others.length === 0 ? only?.[1] : undefined;
  }

  static read(this: void, instance: Instance): PoolReading {
    return { pending: instance.#pending, max: instance.#max };
  }
}

/** The query that is just being handed to a connection, which may send it in the same turn. */
const handedOver = new CallScope<OperationResource>();

export function handingOver(): OperationResource | undefined {
  return handedOver.current;
}

export function handOver(operation: OperationResource, send: () => unknown): unknown {
  return handedOver.run(operation, send);
}

const UNKNOWN = new Instance(UNKNOWN_ENDPOINT, {});

export function instanceOf({ canceller }: PostgresQuery): Instance {
  return (canceller && instances.get(canceller)) || UNKNOWN;
}

/** Registers the instance to which `query` belongs. */
export function introduce({ canceller }: PostgresQuery, options: PostgresOptions): void {
  if (!canceller || instances.has(canceller)) return;
  instances.set(canceller, new Instance(endpointFrom(options), options));
}
