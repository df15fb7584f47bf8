import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';

import {
  nameOf,
  wrapListener,
  type EventName,
  type Listener,
} from '../context/listener-wrapper.ts';
import { patchMethod, undoAll, type Undo } from './patch.ts';

const ADDING = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const;

/**
 * Patches a class of emitters: from now on a listener runs in the context it was registered in. What
 * a connection emits of its own accord (a message, `ready`, `error`) has no other owner. What
 * `around` makes of a listener is what runs there.
 */
export function patchListeners(
  prototype: EventEmitter,
  around: (event: EventName, listener: Listener) => Listener = (_event, listener) => listener,
): Undo {
  return undoAll([
    ...ADDING.map((method) =>
      patchMethod(prototype, method, (original) => {
        return function addListener(event: EventName, listener: Listener) {
          return original.call(
            this,
            event,
            wrapListener(event, listener, (target) => bound(around(event, target))),
          );
        };
      }),
    ),
    patchMethod(prototype, 'rawListeners', (original) => {
      return function rawListeners(event) {
        return original.call(this, event).map((listener) => nameOf(listener as Listener));
      };
    }),
  ]);
}

function bound(listener: Listener): Listener {
  // Nobody says when a listener is done with, so its resource ends when it is collected.
  const resource = new AsyncResource('LISTENER');
  return function boundListener(this: unknown, ...args: unknown[]): unknown {
    return resource.runInAsyncScope<unknown, unknown>(listener, this, ...args);
  };
}
