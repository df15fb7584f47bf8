import { patchMethod, undoAll, type Undo } from '../../patch.ts';
import { patchListeners } from '../../listeners.ts';
import { setUp } from '../../redis/setup.ts';
import { bindCallback } from '../../running-operation.ts';
import type { RedisConnection } from './shapes.ts';

/** Patches the birth of connections and the registration of listeners. */
export function patchConnection(prototype: RedisConnection): Undo {
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
    patchListeners(prototype),
  ]);
}

function bound(callback: unknown): unknown {
  return typeof callback === 'function'
    ? bindCallback('REDIS_CONNECT', callback as () => void)
    : callback;
}
