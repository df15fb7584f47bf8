import { CallScope } from '../../../carry/call-scope.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
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
  /** Whether functions among its options have to know which query they are called for. */
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

  /** `query` is under way until `over`, for the functions among the options. */
  begin(query: PostgresQuery, operation: OperationResource): void {
    this.#underWay.set(query, operation);
  }

  over(query: PostgresQuery): void {
    this.#underWay.delete(query);
  }

  /** The only query that a connection is busy with, or that waits for one; none if there are more. */
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

/** What is handed over to a connection right now: it may be sent in the same turn. */
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

/** Introduces the instance that `query` is of. */
export function introduce({ canceller }: PostgresQuery, options: PostgresOptions): void {
  if (!canceller || instances.has(canceller)) return;
  instances.set(canceller, new Instance(endpointFrom(options), options));
}
