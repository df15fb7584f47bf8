import { EventEmitter } from 'node:events';

import { patchHotMethod, undoAll, type Undo } from '../base/patch.ts';
import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  listingListeners,
  type BindListener,
} from '../patch/listeners.ts';
import { callWith } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/**
 * Has listeners run in the context that was active when they were added.
 *
 * It replaces the adding methods of `EventEmitter.prototype`, from `start` to `stop`. A listener
 * that is added under no context is left alone, and so are the listeners of bound emitters.
 */
export class RegistrationBinder {
  readonly #store: ContextStore;
  #undo: Undo | undefined;

  constructor(store: ContextStore) {
    this.#store = store;
  }

  start(): void {
    if (this.#undo) return;
    const store = this.#store;
    const bind: BindListener = (listener) => {
      const context = store.active();
      if (context === undefined || isWrapper(listener)) return undefined;
      return callWith(store, context, listener);
    };
    const prototype = EventEmitter.prototype as unknown as Record<string, AnyFunction>;
    // Once they are undone no context is active, and they pass everything on.
    this.#undo = undoAll([
      ...ADDING_METHODS.map((method) =>
        patchHotMethod(prototype, method, (original) => addingListener(original, bind)),
      ),
      patchHotMethod(prototype, 'rawListeners', (original) => listingListeners(original)),
    ]);
  }

  stop(): void {
    this.#undo?.();
    this.#undo = undefined;
  }
}
