import type { EventEmitter } from 'node:events';

import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  listingListeners,
  type AnyFunction,
  type EventName,
  type Listener,
} from '../patch/listeners.ts';
import { bindListener } from './bind-listener.ts';
import { patchMethod, undoAll, type Undo } from './patch.ts';

const NONE: ReadonlySet<EventName> = new Set();

/**
 * Patches a class of emitters: from now on a listener runs in the context it was registered in. What
 * a connection emits of its own accord (a message, `ready`, `error`) has no other owner. What
 * `around` makes of a listener is what runs there. The events of `ofCallers` are emitted in the turn of
 * a caller, whose context their listeners keep.
 */
export function patchListeners(
  prototype: EventEmitter,
  around: (event: EventName, listener: Listener) => Listener = (_event, listener) => listener,
  ofCallers: ReadonlySet<EventName> = NONE,
): Undo {
  const bind = (listener: AnyFunction, event: EventName): AnyFunction | undefined =>
    isWrapper(listener) || ofCallers.has(event)
      ? undefined
      : bindListener('LISTENER', around(event, listener));
  const table = prototype as unknown as Record<string, AnyFunction>;
  return undoAll([
    ...ADDING_METHODS.map((method) =>
      patchMethod(table, method, (original) => addingListener(original, bind)),
    ),
    patchMethod(table, 'rawListeners', (original) => listingListeners(original)),
  ]);
}
