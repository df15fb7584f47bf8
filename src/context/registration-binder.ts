import { EventEmitter } from 'node:events';

import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  listingListeners,
  type BindListener,
} from '../patch/listeners.ts';
import { callWith } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

type Method = (typeof ADDING_METHODS)[number] | 'rawListeners';
type Methods = Record<Method, AnyFunction>;

/**
 * Has listeners run in the context that was active when they were added.
 *
 * It replaces the adding methods of `EventEmitter.prototype`, from `start` to `stop`. A listener
 * that is added under no context is left alone, and so are the listeners of bound emitters.
 */
export class RegistrationBinder {
  readonly #store: ContextStore;
  readonly #originals = new Map<Method, AnyFunction>();
  readonly #replacements = new Map<Method, AnyFunction>();

  constructor(store: ContextStore) {
    this.#store = store;
  }

  start(): void {
    if (this.#originals.size > 0) return;
    const store = this.#store;
    const bind: BindListener = (listener) => {
      const context = store.active();
      if (context === undefined || isWrapper(listener)) return undefined;
      return callWith(store, context, listener);
    };
    for (const method of ADDING_METHODS) {
      this.#replace(method, (original) => addingListener(original, bind));
    }
    this.#replace('rawListeners', (original) => listingListeners(original));
  }

  stop(): void {
    const prototype = EventEmitter.prototype as Methods;
    for (const [method, original] of this.#originals) {
      // Somebody else's patch on top of ours stays; ours then passes everything on.
      if (prototype[method] === this.#replacements.get(method)) prototype[method] = original;
    }
    this.#originals.clear();
    this.#replacements.clear();
  }

  #replace(method: Method, replace: (original: AnyFunction) => AnyFunction): void {
    const prototype = EventEmitter.prototype as Methods;
    const original = prototype[method];
    const replacement = replace(original);
    this.#originals.set(method, original);
    this.#replacements.set(method, replacement);
    Object.defineProperty(replacement, 'name', { value: original.name });
    prototype[method] = replacement;
  }
}
