import { SpanStatusCode, type Span } from '@opentelemetry/api';

import { patchMethod, undoAll, type Undo } from '../../patch.ts';
import { poolNameOf, type PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { RunningOperation } from '../../running-operation.ts';
import { endpointOf, UNKNOWN_ENDPOINT } from './describe.ts';
import type { PendingItem, PgClient, PgPool } from './shapes.ts';

/*
 * How long connections are waited for and kept. A wait is known by the pool's own item for it: the
 * pool hands that to `newClient` or puts it at the end of its queue, both while `connect` runs, and
 * gives it to `_acquireClient` in the end. `asking` is the wait of the `connect` on the stack;
 * entries of `waits` and `openedAt` live as long as the pool's item, of `takenAt` as the client.
 */
let asking: Wait | undefined;
const waits = new WeakMap<PendingItem, Wait>();
const openedAt = new WeakMap<PendingItem, number>();
const takenAt = new WeakMap<PgClient, number>();

/** How long a query waited for a connection of its pool. */
const ATTR_POOL_WAIT = 'clew.pool.wait.ms';

/** Somebody waiting for a connection. */
export class Wait {
  readonly #pool: PgPool;
  readonly #recorder: Recorder;
  readonly #operation: RunningOperation | undefined;
  readonly #span: Span | undefined;
  readonly #startedAt = performance.now();
  #isFound = false;

  constructor(pool: PgPool, operation: RunningOperation | undefined, recorder: Recorder) {
    this.#pool = pool;
    this.#operation = operation;
    this.#recorder = recorder;
    const client = pool._clients?.[0];
    const endpoint = client ? endpointOf(client) : UNKNOWN_ENDPOINT;
    if (client) recorder.pools.watch(pool, endpoint, readPool);
    this.#span = recorder.startAcquireSpan(poolNameOf(endpoint));
  }

  /** Remembers the pool's item for this wait: the given one, or the last one of the queue. */
  found(item: PendingItem | undefined): void {
    if (this.#isFound || item === undefined) return;
    this.#isFound = true;
    waits.set(item, this);
  }

  find(queue: PendingItem[] | undefined): void {
    if (asking === this) asking = undefined;
    if (!this.#isFound) this.found(queue?.at(-1));
  }

  /** The connection is there. */
  end(): void {
    const milliseconds = performance.now() - this.#startedAt;
    this.#operation?.recording?.add({ [ATTR_POOL_WAIT]: milliseconds });
    this.#span?.end();
    this.#recorder.pools.waited(this.#pool, milliseconds);
  }

  /** There is none, and whoever waited has been told. */
  fail(error: unknown): void {
    const { type, message } = this.#recorder.responses.describeError(error);
    const code = SpanStatusCode.ERROR;
    this.#span?.setAttribute('error.type', type).setStatus(message ? { code, message } : { code });
    this.#span?.end();
    if (error instanceof Error && /timeout/.test(error.message)) {
      this.#recorder.pools.timedOut(this.#pool);
    }
  }
}

/** Starts measuring a wait, if anybody would see it. */
export function startWait(
  pool: PgPool,
  operation: RunningOperation | undefined,
  recorder: Recorder,
): Wait | undefined {
  const isSeen =
    (operation !== undefined && recorder.providers.tracer !== undefined) ||
    recorder.pools.isListening ||
    recorder.config.acquireSpans;
  asking = isSeen ? new Wait(pool, operation, recorder) : undefined;
  return asking;
}

function readPool(pool: PgPool): PoolReading {
  const { totalCount = 0, idleCount = 0, waitingCount = 0, options } = pool;
  return {
    used: totalCount - idleCount,
    idle: idleCount,
    pending: waitingCount,
    max: options?.max,
    idleMax: options?.max,
    idleMin: options?.min,
  };
}

export function patchWaits(prototype: PgPool, recorder: Recorder): Undo {
  return undoAll([
    patchMethod(prototype, 'newClient', (original) => {
      return function newClient(item) {
        asking?.found(item);
        if (recorder.pools.isListening) openedAt.set(item, performance.now());
        return original.call(this, item);
      };
    }),
    patchMethod(prototype, '_acquireClient', (original) => {
      return function _acquireClient(client, item, listener, isNew, ...rest) {
        const { pools } = recorder;
        if (pools.isListening) {
          const opened = isNew === true ? openedAt.get(item) : undefined;
          const now = performance.now();
          pools.watch(this, endpointOf(client), readPool);
          if (opened !== undefined) pools.created(this, now - opened);
          takenAt.set(client, now);
        }
        waits.get(item)?.end();
        return original.call(this, client, item, listener, isNew, ...rest);
      };
    }),
    patchMethod(prototype, '_release', (original) => {
      return function _release(client, ...rest) {
        const since = takenAt.get(client);
        if (since !== undefined) {
          takenAt.delete(client);
          recorder.pools.used(this, performance.now() - since);
        }
        return original.call(this, client, ...rest);
      };
    }),
  ]);
}
