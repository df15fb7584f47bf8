import { patchCallersEvents } from '../../callers-events.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import { plainProperty } from '../../plain-property.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback, finishing } from '../../pending-operation.ts';
import { tryWrap } from '../../wrap.ts';
import { calling, idleListener, newCall, poolQuery } from './call-scopes.ts';
import {
  acquiring,
  callerOfConnect,
  callerOf,
  endingPool,
  released,
  releasing,
  waitsFor,
} from './pool-events.ts';
import { describeQuery, endpointOf, UNKNOWN_ENDPOINT } from './attributes.ts';
import { measuringWait, patchWaits } from './pool-waits.ts';
import { isPatched } from './query-source.ts';
import { QueryOperation } from './query-operation.ts';
import type { PgPool, PoolCallback } from './library-types.ts';

/*
 * Records one operation for `pool.query`, from the call through the wait for a client to the
 * result. The pool calls its own `connect` synchronously: `poolQuery` is set for that moment, so
 * that `connect` can tell it from a call of the user.
 */

/** Patches a class of pools: `query`, `connect`, `end`, and the creation of connections. */
export function patchPool(Pool: { prototype: PgPool }, recorder: Recorder): Undo | undefined {
  const owner = ownerOf(Pool.prototype, 'newClient');
  const release = owner && reservePatch(owner, 'pg pool');
  if (!release) return undefined;
  const prototype = owner as PgPool;
  return undoAll([
    release,
    patchWaits(prototype, recorder),
    patchHotMethod(prototype, 'query', (original, patch) => queryOf(original, patch, recorder)),
    patchHotMethod(prototype, 'connect', (original, patch) => connectOf(original, patch, recorder)),
    patchCallersEvents(prototype, callerOf),
    tryWrap(prototype, { kind: 'emitter', module: 'pg-pool' }),
    patchHotMethod(prototype, 'newClient', (original, patch) => {
      return function newClient(item) {
        if (patch.isUndone) return original.call(this, item);
        waitsFor(item);
        return runInRoot(original, this, item);
      };
    }),
    patchHotMethod(prototype, '_acquireClient', (original, patch) => {
      return function _acquireClient(client, item, ...rest) {
        const caller = patch.isUndone ? undefined : acquiring(client, item);
        return caller
          ? caller.run(original, this, client, item, ...rest)
          : original.call(this, client, item, ...rest);
      };
    }),
    patchHotMethod(prototype, '_release', (original, patch) => {
      return function _release(client, listener, ...rest) {
        if (patch.isUndone) return original.call(this, client, listener, ...rest);
        recorder.pools.gaveBack(this, client);
        releasing(this, client);
        const outer = idleListener.enter(listener);
        try {
          // Sets the timer that closes an idle client, which belongs to no request.
          return runInRoot(original, this, client, listener, ...rest);
        } finally {
          idleListener.leave(outer);
          released(client);
        }
      };
    }),
    patchMethod(prototype, 'end', (original) => {
      return function end(callback) {
        endingPool(this);
        if (typeof callback !== 'function') return original.call(this, callback);
        return original.call(this, bindCallback('PG_POOL_END', callback as () => void));
      };
    }),
  ]);
}

type Method<Key extends 'query' | 'connect'> = (
  this: PgPool,
  ...args: Parameters<PgPool[Key]>
) => unknown;

function queryOf(
  original: Method<'query'>,
  patch: PatchState,
  recorder: Recorder,
): Method<'query'> {
  return function query(...args) {
    // The queries of another class of clients are not observed, so their end would not be either.
    if (patch.isUndone || typeof args[0] === 'function' || !isPatched(this.Client?.prototype)) {
      return original.apply(this, args);
    }
    const operation = new QueryOperation('PG_POOL_QUERY');
    const isListening = recorder.isListening;
    const isKnown = this._clients?.[0] !== undefined;
    if (isListening && isKnown) record(operation, this, args, recorder);
    const isSeen = isKnown ? operation.recording?.isRecording === true : isListening;
    const outer = poolQuery.enter({ operation, isSeen });
    let result: unknown;
    try {
      result = original.apply(this, withBoundCallback(args, operation));
    } finally {
      poolQuery.leave(outer);
    }
    // The first query creates the client that shows where the pool's queries go.
    if (isListening && !isKnown && !operation.settled) record(operation, this, args, recorder);
    return result;
  };
}

/** Returns the arguments with the last one, the callback, bound to the caller's context. */
function withBoundCallback(args: unknown[], operation: QueryOperation): unknown[] {
  const index = typeof args[1] === 'function' ? 1 : 2;
  const callback = args[index];
  if (typeof callback !== 'function') return args;
  args[index] = finishing(operation, callback as (...results: unknown[]) => unknown);
  return args;
}

function connectOf(
  original: Method<'connect'>,
  patch: PatchState,
  recorder: Recorder,
): Method<'connect'> {
  return function connect(callback) {
    if (patch.isUndone) return original.call(this, callback);
    const query = poolQuery.take();
    let bound = callback;
    if (typeof callback === 'function') {
      bound = query
        ? forQuery(query.operation, callback)
        : bindCallback('PG_POOL_CONNECT', callback);
    }
    const operation = query?.isSeen === true ? query.operation : undefined;
    return measuringWait(this, operation, callerOfConnect(this), recorder, bound, original);
  };
}

/** The callback with which a pool continues its own query, once there is a client. */
function forQuery(operation: QueryOperation, callback: PoolCallback): PoolCallback {
  return function poolClientCallback(...args) {
    const [error] = args;
    if (error) operation.settle(error);
    const outer = calling.enter(newCall(operation));
    try {
      operation.run(callback, undefined, ...args);
    } finally {
      calling.leave(outer);
      if (error) operation.end();
    }
  };
}

function record(
  operation: QueryOperation,
  pool: PgPool,
  [config, values]: unknown[],
  recorder: Recorder,
): void {
  const client = pool._clients?.[0];
  const endpoint = client ? endpointOf(client) : UNKNOWN_ENDPOINT;
  const text = typeof config === 'string' ? config : plainProperty(config, 'text');
  const given = Array.isArray(values) ? values : plainProperty(config, 'values');
  operation.record(recorder, describeQuery(endpoint, { text, values: given }));
}
