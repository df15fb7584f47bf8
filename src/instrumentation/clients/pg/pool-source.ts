import type { Operation } from '../../operation.ts';
import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../root.ts';
import { bindCallback, RunningOperation } from '../../running-operation.ts';
import { describeError, endpointOf, UNKNOWN_ENDPOINT } from './describe.ts';
import { adopting, isPatched } from './query-source.ts';
import type { PgPool, PoolCallback } from './shapes.ts';

/*
 * One operation for `pool.query`, from the call over the wait for a client to the result. The pool
 * asks itself for a client synchronously: `querying` is set for that moment, so that `connect`
 * knows it from a call of the user's.
 */
let querying: RunningOperation | undefined;

/** How long a query waited for a connection of its pool. */
const ATTR_POOL_WAIT = 'clew.pool.wait.ms';

interface PoolClass {
  prototype: PgPool & {
    newClient(...args: unknown[]): unknown;
    _release(...args: unknown[]): unknown;
    end(callback?: unknown): unknown;
  };
}

/** Patches a class of pools: `query`, `connect`, `end`, and the birth of connections. */
export function patchPool(Pool: PoolClass, recorder: Recorder): Undo | undefined {
  const owner = ownerOf(Pool.prototype, 'newClient');
  const release = owner && claim(owner, 'pg pool');
  if (!release) return undefined;
  const prototype = owner as PoolClass['prototype'];
  return undoAll([
    release,
    patchMethod(prototype, 'query', (original) => queryOf(original, recorder)),
    patchMethod(prototype, 'connect', connectOf),
    patchMethod(prototype, 'newClient', fromRoot),
    // Sets the timer that closes an idle client, which is nobody's request.
    patchMethod(prototype, '_release', fromRoot),
    patchMethod(prototype, 'end', (original) => {
      return function end(callback) {
        if (typeof callback !== 'function') return original.call(this, callback);
        return original.call(this, bindCallback('PG_POOL_END', callback as () => void));
      };
    }),
  ]);
}

function fromRoot<This>(
  original: (this: This, ...args: unknown[]) => unknown,
): (this: This, ...args: unknown[]) => unknown {
  return function (...args) {
    return runInRoot(original, this, ...args);
  };
}

function queryOf(original: PgPool['query'], recorder: Recorder): PgPool['query'] {
  return function query(this: PgPool, ...args) {
    // Of another class of clients the queries are not seen, so neither would be their end.
    if (typeof args[0] === 'function' || !isPatched(this.Client?.prototype)) {
      return original.apply(this, args);
    }
    const operation = new RunningOperation('PG_POOL_QUERY');
    const isListening = recorder.isListening;
    const isKnown = this._clients?.[0] !== undefined;
    if (isListening && isKnown) operation.record(recorder, operationOf(this, args));
    const bound = withBoundCallback(args, operation);
    querying = operation;
    let result: unknown;
    try {
      result = original.apply(this, bound);
    } finally {
      querying = undefined;
    }
    // The first query makes the client that tells where the pool's queries go.
    if (isListening && !isKnown && !operation.settled) {
      operation.record(recorder, operationOf(this, args));
    }
    return result;
  };
}

/** The arguments, with the callback that is the last of them in the caller's context. */
function withBoundCallback(args: unknown[], operation: RunningOperation): unknown[] {
  const index = typeof args[1] === 'function' ? 1 : 2;
  const callback = args[index];
  if (typeof callback !== 'function') return args;
  const bound = [...args];
  bound[index] = function poolQueryCallback(this: unknown, ...results: unknown[]): unknown {
    operation.settle(results[0] ?? undefined, results[1], describeError);
    try {
      return operation.run(callback as (...results: unknown[]) => unknown, this, ...results);
    } finally {
      operation.end();
    }
  };
  return bound;
}

function connectOf(original: PgPool['connect']): PgPool['connect'] {
  return function connect(this: PgPool, callback) {
    const operation = querying;
    querying = undefined;
    if (typeof callback !== 'function') return original.call(this, callback);
    if (operation === undefined) {
      return original.call(this, bindCallback('PG_POOL_CONNECT', callback));
    }
    return original.call(this, forQuery(operation, callback));
  };
}

/** The callback with which a pool continues its own query, once there is a client. */
function forQuery(operation: RunningOperation, callback: PoolCallback): PoolCallback {
  const askedAt = performance.now();
  return function poolClientCallback(error, client, release) {
    operation.recording?.add({ [ATTR_POOL_WAIT]: performance.now() - askedAt });
    if (error) operation.settle(error, undefined, describeError);
    try {
      operation.run(() => adopting(operation, () => callback(error, client, release)), undefined);
    } finally {
      if (error) operation.end();
    }
  };
}

function operationOf(pool: PgPool, [config, values]: unknown[]): Operation {
  const client = pool._clients?.[0];
  const text = typeof config === 'string' ? config : plainProperty(config, 'text');
  return {
    endpoint: client ? endpointOf(client) : UNKNOWN_ENDPOINT,
    text: typeof text === 'string' ? text : undefined,
    dialect: 'postgresql',
    values: Array.isArray(values) ? values : plainProperty(config, 'values'),
  };
}

/** A property of the user's that can be read without running the user's code. */
function plainProperty(target: unknown, key: string): unknown {
  if (typeof target !== 'object' || target === null) return undefined;
  return Object.getOwnPropertyDescriptor(target, key)?.value;
}
