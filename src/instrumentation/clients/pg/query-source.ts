import { patchCallersEvents } from '../../callers-events.ts';
import type { Operation } from '../../operation.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback } from '../../pending-operation.ts';
import { failThrown, recordThrown } from '../../thrown-calls.ts';
import { tryWrap } from '../../wrap.ts';
import { calling, idleListener, newCall, type Call } from './call-scopes.ts';
import { callerOf, connecting, connectingUntil, drainsFor, ending } from './client-events.ts';
import { describeQuery, endpointOf } from './attributes.ts';
import { bindNativeQuery, isNativeQuery, patchNativeQuery } from './native-source.ts';
import { QueryOperation } from './query-operation.ts';
import type { PgClient, Submittable } from './library-types.ts';
import {
  attachOwn,
  attachUsers,
  patchSubmittable,
  sawSubmittable,
  undoSubmittables,
} from './submittable.ts';

/*
 * A client creates the query object itself and puts it at the end of its queue, where the patch of
 * `_pulseQueryQueue` finds it. So no object of the user is read, wrapped or written to, and a call
 * that pg rejects outright leaves no trace. `calling` gives that patch the current call.
 */

/** Whether the queries of this class of clients are observed. */
export function isPatched(prototype: object | undefined): boolean {
  if (prototype && patched.has(prototype)) return true;
  const owner = ownerOf(prototype, '_pulseQueryQueue');
  return owner !== undefined && patched.has(owner);
}
const patched = new WeakSet<object>();

/** Events that no call caused: their listeners run in the context they were registered in. */
const OWNERLESS = ['notification', 'notice', 'drain', 'end', 'error'];

type AddListener = (this: PgClient, event: string, listener: unknown) => unknown;

interface ClientClass {
  prototype: PgClient & {
    connect(callback?: unknown): unknown;
    _connect(callback: unknown): unknown;
    end(callback?: unknown): unknown;
    on: AddListener;
    once: AddListener;
  };
  Query?: { prototype?: object };
}

/** Patches a class of clients: `query`, `connect`, `end` and the objects they execute. */
export function patchClient(Client: ClientClass, recorder: Recorder): Undo | undefined {
  const owner = ownerOf(Client.prototype, '_pulseQueryQueue');
  const release = owner && reservePatch(owner, 'pg client');
  if (!release) return undefined;
  patched.add(owner);
  const prototype = owner as ClientClass['prototype'];
  const { once: plainOnce, on: plainOn } = prototype;
  return undoAll([
    () => patched.delete(owner),
    release,
    undoSubmittables,
    isNativeQuery(Client.Query?.prototype)
      ? patchNativeQuery(Client.Query!.prototype!)
      : patchSubmittable(Client.Query?.prototype),
    patchHotMethod(prototype, 'query', (original, patch) => queryOf(original, patch, recorder)),
    patchHotMethod(prototype, '_pulseQueryQueue', (original, patch) =>
      pulseOf(original, patch, recorder),
    ),
    patchMethod(prototype, 'connect', withBoundCallback('PG_CONNECT', connecting)),
    patchMethod(prototype, 'end', withBoundCallback('PG_END', ending)),
    patchCallersEvents(prototype as never, callerOf),
    tryWrap(prototype, { kind: 'emitter', module: 'pg', events: OWNERLESS }),
    patchHotMethod(prototype, 'once', (bound, patch) => {
      return function once(event, listener) {
        // The operation of a pool's own query, cleared with it.
        const isPools = isPoolCalling() && event === 'error' && !patch.isUndone;
        const add = isPools ? plainOnce : bound;
        return add.call(this, event, listener);
      };
    }),
    patchHotMethod(prototype, 'on', (bound, patch) => {
      return function on(event, listener) {
        const isPools = listener === idleListener.current && event === 'error' && !patch.isUndone;
        const add = isPools ? plainOn : bound;
        return add.call(this, event, listener);
      };
    }),
    // The socket outlives the call that opened it.
    patchMethod(prototype, '_connect', (original) => {
      return function _connect(callback) {
        return runInRoot(original, this, connectingUntil(this, callback));
      };
    }),
  ]);
}

/** Whether a pool is about to call `query` of a client for its own query. */
function isPoolCalling(): boolean {
  const call = calling.current;
  return call !== undefined && call.client === undefined;
}

/** A method whose only argument may be a callback, which is then called in its caller's context. */
function withBoundCallback(type: string, begin: (client: object) => void) {
  return <This extends object>(original: (this: This, callback?: unknown) => unknown) =>
    function (this: This, callback?: unknown, ...more: []): unknown {
      begin(this);
      if (typeof callback !== 'function') return original.call(this, callback, ...more);
      return original.call(this, bindCallback(type, callback as () => void), ...more);
    };
}

function queryOf(
  original: PgClient['query'],
  patch: PatchState,
  recorder: Recorder,
): PgClient['query'] {
  return function query(this: PgClient, ...args) {
    if (patch.isUndone) return original.apply(this, args);
    const pools = calling.current;
    const call = pools !== undefined && pools.client === undefined ? pools : newCall(undefined);
    call.client = this;
    call.given = args[0];
    const outer = calling.enter(call);
    let result: unknown;
    try {
      result = original.apply(this, args);
    } catch (error) {
      const text = typeof args[0] === 'string' ? args[0] : undefined;
      const describe = (): Operation => describeQuery(endpointOf(this), { text });
      if (call.running) failThrown(call.running, recorder, describe, error);
      else if (call.operation) call.operation.settle(error);
      else recordThrown(recorder, describe, error);
      throw error;
    } finally {
      calling.leave(outer === call ? undefined : outer);
    }
    if (!call.isQueued) refused(this, call, recorder);
    return result;
  };
}

function pulseOf(
  original: PgClient['_pulseQueryQueue'],
  patch: PatchState,
  recorder: Recorder,
): PgClient['_pulseQueryQueue'] {
  return function _pulseQueryQueue(this: PgClient, ...args) {
    const call = calling.current;
    if (call?.client === this && !call.isQueued && !patch.isUndone) {
      call.isQueued = true;
      const queue = this._queryQueue ?? this.queryQueue;
      const query = queue?.[queue.length - 1];
      // It may be submitted immediately, which is already in its caller's context.
      if (query)
        return queued(this, query, call, recorder).runHere(() => original.apply(this, args));
    }
    return original.apply(this, args);
  };
}

function queued(
  client: PgClient,
  query: Submittable,
  call: Call,
  recorder: Recorder,
): QueryOperation {
  const { given, operation: pooled } = call;
  const isOurs = query !== given;
  const operation = pooled ?? new QueryOperation('PG_QUERY');
  call.running = operation;
  drainsFor(client);
  if (isOurs) {
    attachOwn(query, operation);
    bindNativeQuery(query, operation);
  } else {
    sawSubmittable(Object.getPrototypeOf(query) as object);
    attachUsers(query, operation);
  }
  const { recording } = operation;
  if (recording) {
    recording.connectedTo(endpointOf(client));
    if (!recording.hasText) recording.learn(describeQuery(endpointOf(client), statementOf(query)));
  } else if (!pooled && recorder.isListening) {
    operation.record(recorder, describeQuery(endpointOf(client), statementOf(query)));
  }
  // A query that pg created from the caller's arguments may be changed. A prepared one may not: it
  // is identified by its text.
  if (isOurs && operation.recording && typeof query.text === 'string' && !query.name) {
    query.text = operation.recording.comment(query.text);
  }
  return operation;
}

/** Returns the object that holds the text: for a query stream, its cursor. */
function statementOf(query: Submittable): Submittable {
  return query.text === undefined && query.cursor ? query.cursor : query;
}

/** A client that is broken or closed queues nothing and reports the error in the next tick. */
function refused(client: PgClient, call: Call, recorder: Recorder): void {
  const operation = call.operation ?? new QueryOperation('PG_QUERY');
  if (recorder.isListening && !call.operation) {
    const text = typeof call.given === 'string' ? call.given : undefined;
    operation.record(recorder, describeQuery(endpointOf(client), { text }));
  }
  operation.settle(new Error('The client is not queryable'));
  operation.end();
}
