import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { patchMethod, undoAll, type Undo } from '../../patch.ts';
import { patchListeners } from '../../redis/listeners.ts';
import { runInRoot } from '../../root.ts';
import { bindCallback } from '../../running-operation.ts';
import type { RedisConnection } from './shapes.ts';

/*
 * A connection is set up outside of every request, in a context that says so: the commands that the
 * client sends of its own accord (`hello`, `info`, `cluster slots`, subscribing again, asking the
 * sentinels) all come from the socket and the timers born there. The application's listeners do not
 * run in it: they have the context of their registration.
 */
const SETTING_UP = createContextKey('clew setting up a Redis connection');
const SETUP_CONTEXT = ROOT_CONTEXT.setValue(SETTING_UP, true);

/** Whether the active context is that of a connection's own work. */
export function isSettingUp(): boolean {
  return context.active().getValue(SETTING_UP) === true;
}

/** Patches the birth of connections and the registration of listeners. */
export function patchConnection(prototype: RedisConnection): Undo {
  return undoAll([
    patchMethod(prototype, 'connect', (original) => {
      return function connect(callback) {
        const bound =
          typeof callback === 'function'
            ? bindCallback('REDIS_CONNECT', callback as () => void)
            : callback;
        return runInRoot(() => context.with(SETUP_CONTEXT, () => original.call(this, bound)), this);
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
