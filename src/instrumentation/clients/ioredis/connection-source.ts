import { patchMethod, undoAll, type Undo } from '../../patch.ts';
import { patchListeners } from '../../listeners.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { consuming, type Delivery } from '../../redis/messages.ts';
import { setUp } from '../../redis/setup.ts';
import { bindCallback } from '../../running-operation.ts';
import { endpointOf } from './describe.ts';
import type { RedisConnection } from './shapes.ts';

/** The events that are messages. */
const MESSAGES = new Set<string | symbol>(
  ['message', 'pmessage', 'smessage'].flatMap((name) => [name, `${name}Buffer`]),
);

/** Patches the birth of connections and the registration of listeners. */
export function patchConnection(prototype: RedisConnection, recorder: Recorder): Undo {
  return undoAll([
    patchMethod(prototype, 'connect', (original) => {
      return function connect(callback) {
        return setUp(original, this, bound(callback));
      };
    }),
    // A cluster asks which server has what, also when a command of the application's is redirected.
    patchMethod(prototype, 'refreshSlotsCache', (original) => {
      return function refreshSlotsCache(callback) {
        return setUp(original, this, bound(callback));
      };
    }),
    patchMethod(prototype, 'delayUntilReady', (original) => {
      return function delayUntilReady(callback) {
        return original.call(this, bindCallback('REDIS_CLUSTER_READY', callback));
      };
    }),
    patchListeners(prototype, (event, listener) =>
      MESSAGES.has(event)
        ? consuming(listener, recorder, (connection, args) =>
            delivery(connection as RedisConnection, args),
          )
        : listener,
    ),
  ]);
}

/** The message of an event: where it comes by a pattern, that goes before channel and message. */
function delivery(connection: RedisConnection, args: unknown[]): Delivery {
  const [message, channel, pattern] = args.toReversed() as [unknown, ...(string | Buffer)[]];
  return {
    endpoint: endpointOf(connection),
    channel: String(channel),
    message,
    ...(pattern !== undefined && { pattern: pattern.toString() }),
  };
}

function bound(callback: unknown): unknown {
  return typeof callback === 'function'
    ? bindCallback('REDIS_CONNECT', callback as () => void)
    : callback;
}
