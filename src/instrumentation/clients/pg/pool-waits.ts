import { patchHotMethod, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import { PoolWait } from '../../recorder/pool-wait.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { RunningOperation } from '../../running-operation.ts';
import { connecting, type Connect } from './calls.ts';
import { endpointOf, UNKNOWN_ENDPOINT } from './describe.ts';
import { waitsFor } from './pool-events.ts';
import type { PendingItem, PgPool, PoolCallback } from './shapes.ts';

/*
 * How long connections are waited for and kept. A wait is known by the pool's own item for it: the
 * pool hands that to `newClient` or puts it at the end of its queue, both while `connect` runs, and
 * gives it to `_acquireClient` in the end. `connecting` has that of the `connect` on the stack. What
 * is known of an item is on the item: a table by item would keep what it holds through every minor
 * collection.
 */
const WAIT = Symbol('clew wait');
const OPENED_AT = Symbol('clew opened at');

interface Stamped extends PendingItem {
  [WAIT]?: PoolWait;
  [OPENED_AT]?: number;
}

/**
 * Calls `connect` and measures the wait, which is for `operation` if the pool itself connects, and
 * otherwise for `caller`, where a listener hears of it.
 */
export function measuringWait(
  pool: PgPool,
  operation: RunningOperation | undefined,
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
    // Where no client is made for it, it waits for one in the queue.
    const item: Stamped | undefined = pool._pendingQueue?.[waiting];
    if (item) {
      if (call.wait) inQueue(pool, item, call.wait, callback !== undefined, recorder);
      waitsFor(item);
    }
    connecting.leave(outer);
  }
}

function inQueue(
  pool: PgPool,
  item: Stamped,
  wait: PoolWait,
  hasCallback: boolean,
  recorder: Recorder,
): void {
  item[WAIT] = wait;
  if (!hasCallback) noteTimeout(item, () => failed(pool, recorder, wait, TIMED_OUT, true));
}

const TIMED_OUT = new Error('timeout');

/** Calls `fn` when the pool gives up on `item`, which it tells only to the promise it gave out. */
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
  // It may be the first that is heard of the pool.
  if (recorder.pools.isListening) recorder.pools.watch(pool, endpointOfPool(pool), readPool);
  wait.fail(error, isTimeout);
}

/** A pool knows where it connects to by its clients, of which it may have none again. */
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
      return function newClient(item: Stamped) {
        const call = connecting.current;
        const wait = call?.wait;
        if (call && wait) {
          call.wait = undefined;
          item[WAIT] = wait;
          item.callback = failing(this, recorder, wait, item.callback);
        }
        if (recorder.pools.isListening) item[OPENED_AT] = performance.now();
        const result = original.call(this, item);
        // Where it cannot connect the pool forgets the client.
        if (wait) endpointOfPool(this);
        return result;
      };
    }),
    patchHotMethod(prototype, '_acquireClient', (original, patch) => {
      return function _acquireClient(client, item: Stamped, listener, isNew, ...rest) {
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
