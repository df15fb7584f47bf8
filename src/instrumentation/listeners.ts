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
import { heardByCallers, type CallerOf } from './callers-events.ts';
import { patchMethod, undoAll, type Undo } from '../base/patch.ts';
import { isContextActive } from './wrap/active-context.ts';

const NONE: ReadonlySet<EventName> = new Set();
const unchanged = (_event: EventName, listener: Listener): Listener => listener;

export interface ListenerOptions {
  /** What runs in the place of a listener. */
  around?(this: void, event: EventName, listener: Listener): Listener;
  /** Events that are emitted in the turn of a caller, whose context their listeners keep. */
  ofCallers?: ReadonlySet<EventName>;
  /**
   * The caller that an event is about, for listeners that are registered in no request, and for those
   * of the events `ofCallers`.
   */
  callerOf?: CallerOf;
}

/**
 * Patches a class of emitters: from now on a listener runs in the context it was registered in. What
 * a connection emits of its own accord (a message, a lost connection) has no other owner.
 */
export function patchListeners(
  prototype: EventEmitter,
  { around = unchanged, ofCallers = NONE, callerOf }: ListenerOptions = {},
): Undo {
  const bind = (listener: AnyFunction, event: EventName): AnyFunction | undefined => {
    if (isWrapper(listener)) return undefined;
    const heard = around(event, listener);
    if (ofCallers.has(event)) return callerOf && heardByCallers(heard, event, callerOf);
    const bound = bindListener('LISTENER', heard);
    if (!callerOf || isContextActive()) return bound;
    return heardByCallers(heard, event, callerOf, bound);
  };
  const table = prototype as unknown as Record<string, AnyFunction>;
  return undoAll([
    ...ADDING_METHODS.map((method) =>
      patchMethod(table, method, (original) => addingListener(original, bind)),
    ),
    patchMethod(table, 'rawListeners', (original) => listingListeners(original)),
  ]);
}
