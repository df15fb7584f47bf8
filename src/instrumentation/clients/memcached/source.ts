import { CallScope } from '../../../carry/call-scope.ts';
import { callerHere } from '../../callers-events.ts';
import { patchListeners } from '../../listeners.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { bindCallback } from '../../pending-operation.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import { recordThrown } from '../../thrown-calls.ts';
import { Call, lost, refused } from './call.ts';
import { endpointAt, readPool, SOMEWHERE } from './attributes.ts';
import { callerOf, hasIssue, isHeard } from './issues.ts';
import type { Allocated, MemcachedClient, MemcachedSocket } from './library-types.ts';

/*
 * `calling` is the call whose command is on the stack, and `fan` the number of servers that `multi`
 * queries.
 */
const calling = new CallScope<Call>();
const fan = new CallScope<{ total: number; call?: Call }>();
/** The call that waited for the connection that was opened, or could not be opened. */
const connecting = new CallScope<OperationResource>();
/** The connection whose responses are being read. */
const receiving = new CallScope<MemcachedSocket>();

type Method = (...args: unknown[]) => unknown;

/** The methods for applications that throw if they are called wrongly. */
const METHODS = [
  'get',
  'gets',
  'getMulti',
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'incr',
  'increment',
  'decr',
  'decrement',
  'del',
  'delete',
  'touch',
  'cachedump',
  'command',
];

const watched = new WeakSet<MemcachedSocket>();

/** Patches the class of clients: a call is one operation, on any number of servers. */
export function patchClient(
  { prototype }: { prototype: MemcachedClient },
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'memcached client');
  if (!release) return undefined;
  return undoAll([
    release,
    patchListeners(prototype, { callerOf }),
    patchHotMethod(prototype, 'command', (original, patch) => {
      return function command(compile, server) {
        // The client itself rejects a value that is not a function.
        if (patch.isUndone || typeof compile !== 'function') {
          return original.call(this, compile, server);
        }
        // Set below, once there is a call.
        const outer = calling.current;
        // Callbacks that are called synchronously may make other calls, which are not part of this
        // one.
        const own = fan.enter(undefined);
        let call: Call | undefined;
        try {
          return original.call(
            this,
            (noReply) => {
              const query = compile(noReply);
              // Queries after the first are the same for other servers, without a callback.
              if (call) return query;
              call = own ? (own.call ??= new Call(own.total)) : new Call(1);
              calling.enter(call);
              return call.carry(query, this, server, recorder);
            },
            server,
          );
        } catch (error) {
          call?.threw(error);
          throw error;
        } finally {
          calling.leave(outer);
          fan.leave(own);
        }
      };
    }),
    ...METHODS.map((name) =>
      patchMethod(prototype as unknown as Record<string, Method>, name, (original) => {
        return function call(this: unknown, ...args) {
          try {
            return original.apply(this, args);
          } catch (error) {
            const command = name === 'del' ? 'delete' : name;
            recordThrown(recorder, () => ({ endpoint: SOMEWHERE, name: command }), error);
            throw error;
          }
        };
      }),
    ),
    patchMethod(prototype, 'multi', (original) => {
      return function multi(keys, each) {
        const outer = fan.current;
        const own: { total: number; call?: Call } = { total: 1 };
        try {
          return original.call(this, keys, function (this: unknown, server, some, index, total) {
            own.total = total;
            fan.enter(own);
            return each.call(this, server, some, index, total);
          });
        } finally {
          fan.leave(outer);
        }
      };
    }),
    patchHotMethod(prototype, 'connect', (original, patch) => {
      return function connect(server, callback) {
        if (patch.isUndone) return original.call(this, server, callback);
        const call = calling.current;
        call?.chose(server);
        const caller = isHeard(this) ? callerHere() : undefined;
        const startedAt = performance.now();
        let isAtOnce = true;
        const told: Allocated = call ? callback : bindCallback('MEMCACHED_CONNECT', callback);
        const allocated: Allocated = (error, socket) => {
          if (!isAtOnce) call?.waited(performance.now() - startedAt);
          if (socket) connected(this, server, socket, startedAt, recorder);
          const outer = connecting.enter(caller);
          try {
            told(error, socket);
          } finally {
            connecting.leave(outer);
          }
        };
        const result = runInRoot(original, this, server, allocated);
        isAtOnce = false;
        return result;
      };
    }),
    patchMethod(prototype, 'connectionIssue', (original) => {
      return function connectionIssue(error, socket) {
        // If it was read from a response, it belongs to that response.
        if (socket === receiving.current) refused(socket);
        if (isHeard(this)) hasIssue(this, socket, connecting.current);
        return runInRoot(original, this, error, socket);
      };
    }),
    patchHotMethod(prototype, 'rawDataReceived', (original, patch) => {
      return function rawDataReceived(socket, ...rest) {
        if (patch.isUndone) return original.call(this, socket, ...rest);
        const outer = receiving.enter(socket);
        try {
          return original.call(this, socket, ...rest);
        } finally {
          receiving.leave(outer);
        }
      };
    }),
  ]);
}

function connected(
  { connections }: MemcachedClient,
  server: string,
  socket: MemcachedSocket,
  askedAt: number,
  { pools }: Recorder,
): void {
  if (!watched.has(socket)) {
    watched.add(socket);
    socket.once('close', () => lost(socket));
  }
  const pool = connections[server] ?? connections[`${server}:11211`];
  if (!pool || !pools.isListening) return;
  pools.watch(pool, endpointAt(server), readPool);
  pools.waited(pool, performance.now() - askedAt);
}
