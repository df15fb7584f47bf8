import { EventEmitter } from 'node:events';

import type { AnyFunction, ContextStore } from './context-store.ts';
import { callWith } from './bind-function.ts';
import {
  isWrapper,
  nameOf,
  wrapListener,
  type EventName,
  type Listener,
} from './listener-wrapper.ts';

const ADDING = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const;
type Method = (typeof ADDING)[number] | 'rawListeners';
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
    const prototype = EventEmitter.prototype as Methods;
    for (const method of ADDING) this.#replace(method, this.#adding(prototype[method]));
    const { rawListeners } = prototype;
    this.#replace('rawListeners', function (this: EventEmitter, event: EventName): unknown {
      return (rawListeners.call(this, event) as Listener[]).map(nameOf);
    });
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

  #replace(method: Method, replacement: AnyFunction): void {
    const prototype = EventEmitter.prototype as Methods;
    const original = prototype[method];
    this.#originals.set(method, original);
    this.#replacements.set(method, replacement);
    Object.defineProperty(replacement, 'name', { value: original.name });
    prototype[method] = replacement;
  }

  #adding(original: AnyFunction): AnyFunction {
    const store = this.#store;
    return function (this: EventEmitter, event: EventName, listener: Listener): unknown {
      const context = store.active();
      if (context === undefined || isWrapper(listener)) return original.call(this, event, listener);
      const wrapped = wrapListener(event, listener, (target) => callWith(store, context, target));
      return original.call(this, event, wrapped);
    };
  }
}
