import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';

import { messageOf } from '../../base/errors.ts';
import { sayOnce } from '../../base/log.ts';
import type { Endpoint } from './endpoint.ts';
import type { Providers } from './providers.ts';

/*
 * The connection-pool metrics of the conventions (in development), for every pool of one client.
 *
 * States are read from the pools when a reader collects, so a pool pays nothing for them. `pools`
 * is written by `watch` and holds its pools weakly; dead entries go at the next collection.
 */

const POOL_NAME = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';

/** A pool as it is right now, as far as it can be seen. */
export interface PoolReading {
  used?: number | undefined;
  idle?: number | undefined;
  pending?: number | undefined;
  max?: number | undefined;
  idleMax?: number | undefined;
  idleMin?: number | undefined;
}

interface Entry {
  attributes: Attributes;
  read: (pool: never) => PoolReading;
}

interface Instruments {
  waitTime: Histogram;
  createTime: Histogram;
  useTime: Histogram;
  timeouts: Counter;
}

export class PoolMetrics {
  readonly #providers: Providers;
  readonly #entries = new WeakMap<object, Entry>();
  readonly #pools = new Set<WeakRef<object>>();
  /**
   * When each connection was handed out: an entry goes with its connection, or when that is given
   * back. There from the first on, so that pools nobody measures look nothing up.
   */
  #takenAt: WeakMap<object, number> | undefined;
  #meter: Meter | undefined;
  #instruments: Instruments | undefined;

  constructor(providers: Providers) {
    this.#providers = providers;
  }

  /** Whether anybody collects. Ask before measuring. */
  get isListening(): boolean {
    return this.#current() !== undefined;
  }

  /**
   * Reads `pool` at every collection from now on. It is named after its endpoint,
   * `server.address:server.port/db.namespace`; a second pool to the same one gets `#2` appended.
   */
  watch<Pool extends object>(
    pool: Pool,
    endpoint: Endpoint,
    read: (this: void, pool: Pool) => PoolReading,
  ): void {
    if (this.#entries.has(pool)) return;
    const attributes = { [POOL_NAME]: this.#uniqueName(poolNameOf(endpoint)) };
    this.#entries.set(pool, { attributes, read });
    this.#pools.add(new WeakRef(pool));
  }

  /** A connection was handed out after a wait of so many milliseconds. */
  waited(pool: object, milliseconds: number): void {
    this.#measure(pool, 'waitTime', milliseconds);
  }

  /** A connection was opened, which took so many milliseconds. */
  created(pool: object, milliseconds: number): void {
    this.#measure(pool, 'createTime', milliseconds);
  }

  /** `connection` is handed out at `now`. */
  took(connection: object, now: number): void {
    this.#takenAt ??= new WeakMap();
    this.#takenAt.set(connection, now);
  }

  /** `connection` is given back to `pool`. */
  gaveBack(pool: object, connection: object): void {
    const since = this.#takenAt?.get(connection);
    if (since === undefined) return;
    this.#takenAt!.delete(connection);
    this.used(pool, performance.now() - since);
  }

  /** A connection was in use for so many milliseconds. */
  used(pool: object, milliseconds: number): void {
    this.#measure(pool, 'useTime', milliseconds);
  }

  /** Somebody gave up waiting. */
  timedOut(pool: object): void {
    this.#measure(pool, 'timeouts', 1);
  }

  /** Never throws: it is called in the middle of the pool's own work. */
  #measure(pool: object, name: keyof Instruments, amount: number): void {
    try {
      const instruments = this.#current();
      if (instruments === undefined) return;
      const attributes = this.#entries.get(pool)?.attributes;
      if (name === 'timeouts') instruments.timeouts.add(amount, attributes);
      else instruments[name].record(amount / 1000, attributes);
    } catch (error) {
      sayOnce('error', `pool:${messageOf(error)}`, `cannot measure a pool: ${messageOf(error)}`);
    }
  }

  #uniqueName(name: string): string {
    const taken = new Set<unknown>();
    for (const [{ attributes }] of this.#live()) taken.add(attributes[POOL_NAME]);
    let unique = name;
    for (let count = 2; taken.has(unique); count++) unique = `${name}#${count}`;
    return unique;
  }

  #current(): Instruments | undefined {
    const { meter } = this.#providers;
    if (meter !== this.#meter) {
      this.#meter = meter;
      this.#instruments = meter && this.#create(meter);
    }
    return this.#instruments;
  }

  #create(meter: Meter): Instruments {
    const prefix = 'db.client.connection.';
    const observe = (name: string, description: string, unit = '{connection}') =>
      meter.createObservableUpDownCounter(prefix + name, { description, unit });
    const time = (name: string, description: string) =>
      meter.createHistogram(prefix + name, { description, unit: 's' });
    const count = observe(
      'count',
      'The number of connections in the state described by the state attribute.',
    );
    const pending = observe(
      'pending_requests',
      'The number of requests that wait for a connection.',
      '{request}',
    );
    const max = observe('max', 'The maximum number of open connections allowed.');
    const idleMax = observe('idle.max', 'The maximum number of idle open connections allowed.');
    const idleMin = observe('idle.min', 'The minimum number of idle open connections allowed.');
    meter.addBatchObservableCallback(
      (result) => {
        for (const [{ attributes, read }, pool] of this.#live()) {
          const reading = read(pool as never);
          const see = (instrument: typeof count, value: number | undefined, more?: Attributes) => {
            if (value !== undefined && Number.isFinite(value)) {
              result.observe(instrument, value, { ...attributes, ...more });
            }
          };
          see(count, reading.used, { [STATE]: 'used' });
          see(count, reading.idle, { [STATE]: 'idle' });
          see(pending, reading.pending);
          see(max, reading.max);
          see(idleMax, reading.idleMax);
          see(idleMin, reading.idleMin);
        }
      },
      [count, pending, max, idleMax, idleMin],
    );
    return {
      waitTime: time('wait_time', 'The time it took to obtain an open connection from the pool.'),
      createTime: time('create_time', 'The time it took to create a new connection.'),
      useTime: time('use_time', 'The time between borrowing a connection and returning it.'),
      timeouts: meter.createCounter(`${prefix}timeouts`, {
        description: 'The number of connection timeouts that have occurred.',
        unit: '{timeout}',
      }),
    };
  }

  *#live(): Generator<[Entry, object]> {
    for (const reference of this.#pools) {
      const pool = reference.deref();
      const entry = pool && this.#entries.get(pool);
      if (entry) yield [entry, pool];
      else this.#pools.delete(reference);
    }
  }
}

/** The name of a pool that was given none. */
export function poolNameOf({ address, port, namespace, system }: Endpoint): string {
  const server =
    address === undefined ? system : `${address}${port === undefined ? '' : `:${port}`}`;
  return namespace === undefined ? server : `${server}/${namespace}`;
}
