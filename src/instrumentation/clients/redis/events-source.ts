import type { EventEmitter } from 'node:events';

import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import { patchListeners } from '../../listeners.ts';
import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Method } from './library-types.ts';

/*
 * Events of clients, clusters and sentinels. While a caller connects or closes one, events belong
 * to that call. All others belong to no call, and their listeners run in the context in which they
 * were registered.
 */
const opening = new CallsUnderWay();
const closing = new CallsUnderWay();

const CLOSING = ['quit', 'QUIT', 'disconnect', 'close', 'destroy'];
/** A message belongs to its publisher, and a ping to no call. */
const NOBODYS = new Set<string | symbol>(['invalidate', 'ping-interval', 'message']);

const callerOf: CallerOf = (client, event) =>
  NOBODYS.has(event) ? undefined : (closing.of(emitterOf(client)) ?? opening.of(emitterOf(client)));

/** Returns the client itself; the application may have a copy with other options. */
function emitterOf(client: object & { _self?: object }): object {
  return client._self ?? client;
}

/** Calls `connect` for the current caller, to whom the events of `client` belong until it ends. */
export function connecting(client: object, connect: () => unknown): unknown {
  const emitter = emitterOf(client);
  closing.end(emitter);
  opening.begin(emitter);
  const result = connect();
  if (result instanceof Promise) return opening.endWith(emitter, result);
  opening.end(emitter);
  return result;
}

/** Patches a class of emitters, and the methods that close them. */
export function patchEvents(prototype: EventEmitter): Undo {
  const methods = prototype as unknown as Record<string, Method>;
  return undoAll([
    patchListeners(prototype, { callerOf }),
    ...CLOSING.filter((name) => typeof methods[name] === 'function').map((name) =>
      patchMethod(methods, name, (original) => {
        return function close(this: unknown, ...args: unknown[]) {
          closing.begin(emitterOf(this as object));
          return original.apply(this, args);
        };
      }),
    ),
  ]);
}
