import { bindListener } from '../../bind-listener.ts';
import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { isContextActive } from '../../wrap/active-context.ts';
import type { Listener, PGlite } from './library-types.ts';

/*
 * A notification arrives during the query that sent it, as there is no other session. A listener
 * that was registered outside of every request runs in that query's context, and one that a request
 * registered keeps the context of that request. The listeners of live queries do not belong to the
 * user: their callbacks run in the context of the change, as without clew. `bound` finds the
 * listener that was registered in place of a user's, by channel; an entry is collected with the
 * user's listener.
 */
const bound = new WeakMap<Listener, Map<string, Listener>>();
const EVERY_CHANNEL = '';
/** The channels on which the extension `live` gets notified of changes. */
const LIVE_CHANNEL = /^"table_change__\d+__\d+"$/;

/** Patches the registration of listeners: they run in the context they were registered in. */
export function patchListeners(prototype: PGlite): Undo {
  return undoAll([
    patchMethod(prototype, 'listen', (original) => {
      return function listen(channel, callback, ...rest) {
        return original.call(this, channel, boundOf(callback, channel), ...rest);
      };
    }),
    patchMethod(prototype, 'unlisten', (original) => {
      return function unlisten(channel, callback, ...rest) {
        return original.call(this, channel, findBound(callback, channel), ...rest);
      };
    }),
    patchMethod(prototype, 'onNotification', (original) => {
      return function onNotification(callback) {
        return original.call(this, boundOf(callback, EVERY_CHANNEL));
      };
    }),
    patchMethod(prototype, 'offNotification', (original) => {
      return function offNotification(callback) {
        return original.call(this, findBound(callback, EVERY_CHANNEL) ?? callback);
      };
    }),
  ]);
}

function boundOf(callback: Listener, channel: string): Listener {
  if (typeof callback !== 'function' || !isContextActive()) return callback;
  if (LIVE_CHANNEL.test(channel)) return callback;
  const byChannel = bound.get(callback) ?? new Map<string, Listener>();
  bound.set(callback, byChannel);
  let listener = byChannel.get(channel);
  if (!listener) byChannel.set(channel, (listener = bindListener('PGLITE_LISTENER', callback)));
  return listener;
}

function findBound(callback: Listener | undefined, channel: string): Listener | undefined {
  return callback && (bound.get(callback)?.get(channel) ?? callback);
}
