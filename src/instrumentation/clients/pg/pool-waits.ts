import { patchHotMethod, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { PendingOperation } from '../../pending-operation.ts';
import { connecting, type Connect } from './call-scopes.ts';
import { endpointOf, UNKNOWN_ENDPOINT } from './attributes.ts';
import { waitsFor } from './pool-events.ts';
import type { PendingItem, PgPool, PoolCallback } from './library-types.ts';

/*
 * Measures how long calls wait for connections and keep them. A wait is identified by the pool's
 * own item for it: the pool passes that to `newClient` or puts it at the end of its queue, both
 * while `connect` runs, and finally passes it to `_acquireClient`. `connecting` holds the wait of
 * the `connect` on the stack. The data of an item is stored on the item: a table keyed by item
 * would keep its values through every minor garbage collection.
 */
const WAIT = Symbol('clew wait');
const OPENED_AT = Symbol('clew opened at');

interface ItemWithWait extends PendingItem {
  [WAIT]?: PoolWait;
  [OPENED_AT]?: number;
}

/**
 * Calls `connect` and measures the wait, which is for `operation` if the pool itself connects, and
 * otherwise for `caller`, if there is a listener for its events.
 */
export function measuringWait(
  pool: PgPool,
  operation: PendingOperation | undefined,
  caller: OperationResource | undefined,
  recorder: Recorder,
  callback: PoolCallback | undefined,
  connect: (this: PgPool, callback: PoolCallback | undefined) => unknown,
): unknown {
  const wait = PoolWait.start(recorder, pool, endpointOfPool, operation);
  if (!wait && !caller) return connect.call(pool, callback);
  const call: Connect = { caller, wait };
  const outer = connecting.enter(call);
  const waiting = pool._pendingQueue?.length ?? 0;
  try {
    return connect.call(
      pool,
      wait && callback ? failing(pool, recorder, wait, callback) : callback,
    );
  } finally {
    // If no client is created for it, it waits for one in the queue.
    const item: ItemWithWait | undefined = pool._pendingQueue?.[waiting];
    if (item) {
      if (call.wait) inQueue(pool, item, call.wait, callback !== undefined, recorder);
      waitsFor(item);
    }
    connecting.leave(outer);
  }
}

function inQueue(
  pool: PgPool,
  item: ItemWithWait,
  wait: PoolWait,
  hasCallback: boolean,
  recorder: Recorder,
): void {
  item[WAIT] = wait;
  if (!hasCallback) noteTimeout(item, () => failed(pool, recorder, wait, TIMED_OUT, true));
}

const TIMED_OUT = new Error('timeout');

/**
 * Calls `fn` when the pool gives up on `item`, which it reports only through the promise it
 * returned.
 */
function noteTimeout(item: object, fn: () => void): void {
  let timedOut = false;
  Object.defineProperty(item, 'timedOut', {
    configurable: true,
    enumerable: true,
    get: () => timedOut,
    set(value: boolean) {
      timedOut = value;
      if (value) fn();
    },
  });
}

function failed(
  pool: PgPool,
  recorder: Recorder,
  wait: PoolWait,
  error: unknown,
  isTimeout: boolean,
): void {
  // This may be the first event of the pool.
  if (recorder.pools.isListening) recorder.pools.watch(pool, endpointOfPool(pool), readPool);
  wait.fail(error, isTimeout);
}

/** A pool learns where it connects to from its clients, and may have none again later. */
const endpoints = new WeakMap<PgPool, Endpoint>();

function endpointOfPool(pool: PgPool): Endpoint {
  const client = pool._clients?.[0];
  if (!client) return endpoints.get(pool) ?? UNKNOWN_ENDPOINT;
  const endpoint = endpointOf(client);
  endpoints.set(pool, endpoint);
  return endpoint;
}

function failing(
  pool: PgPool,
  recorder: Recorder,
  wait: PoolWait,
  callback: PoolCallback,
): PoolCallback {
  return function waitingCallback(this: unknown, ...args) {
    const [error] = args;
    if (error) failed(pool, recorder, wait, error, isTimeout(error));
    return callback.apply(this, args);
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes('timeout');
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
      return function newClient(item: ItemWithWait) {
        const call = connecting.current;
        const wait = call?.wait;
        if (call && wait) {
          call.wait = undefined;
          item[WAIT] = wait;
          item.callback = failing(this, recorder, wait, item.callback);
        }
        if (recorder.pools.isListening) item[OPENED_AT] = performance.now();
        const result = original.call(this, item);
        // If it cannot connect, the pool drops the client.
        if (wait) endpointOfPool(this);
        return result;
      };
    }),
    patchHotMethod(prototype, '_acquireClient', (original, patch) => {
      return function _acquireClient(client, item: ItemWithWait, listener, isNew, ...rest) {
        const { pools } = recorder;
        if (pools.isListening && !patch.isUndone) {
          const opened = isNew === true ? item[OPENED_AT] : undefined;
          const now = performance.now();
          pools.watch(this, endpointOf(client), readPool);
          if (opened !== undefined) pools.created(this, now - opened);
          pools.took(client, now);
        }
        item[WAIT]?.end();
        return original.call(this, client, item, listener, isNew, ...rest);
      };
    }),
  ]);
}
