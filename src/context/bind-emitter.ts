import { EventEmitter } from 'node:events';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import {
  ADDING_METHODS,
  nameOf,
  wrapListener,
  type EventName,
  type Listener,
} from '../patch/listeners.ts';
import type { Slot } from './attachment.ts';
import { callWith } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/*
 * Binds an emitter: its listeners run in the context the emitter is bound to.
 *
 * The emitter gets its own `on`, `once` and the like, which register a wrapper in the place of the
 * listener. What they need to know is in a `Binding` on the emitter, written by `bind` and gone with
 * the emitter.
 */

const METHODS = [...ADDING_METHODS, 'rawListeners'] as const;
type Method = (typeof METHODS)[number];
type Methods = Record<Method, AnyFunction>;

/**
 * The binding of an emitter. Its fields are private, so that a context is not logged by accident.
 */
class Binding {
  readonly #slot: Slot;
  readonly #original: Methods;

  constructor(slot: Slot, original: Methods) {
    this.#slot = slot;
    this.#original = original;
  }

  get slot(): Slot {
    return this.#slot;
  }

  /** The methods the emitter had before. */
  get original(): Methods {
    return this.#original;
  }
}

/** Binds emitters for one manager. */
export class EmitterBinder {
  readonly #store: ContextStore;
  /** Where an emitter has its binding; two managers may bind the same emitter. */
  readonly #key: symbol = Symbol('clew.binding');
  /** Shared by all emitters: they find the binding through their receiver. */
  readonly #methods: Methods;

  constructor(store: ContextStore) {
    this.#store = store;
    this.#methods = {
      on: this.#adding('on'),
      addListener: this.#adding('addListener'),
      once: this.#adding('once'),
      prependListener: this.#adding('prependListener'),
      prependOnceListener: this.#adding('prependOnceListener'),
      rawListeners: this.#rawListeners(),
    };
  }

  /**
   * Binds `emitter` to `slot`. The first binding counts; further ones change nothing. An emitter
   * that cannot be changed stays as it is, which is logged once.
   */
  bind(slot: Slot, emitter: EventEmitter): void {
    let binding: Binding | undefined;
    try {
      if (this.#bindingOf(emitter) !== undefined) return;
      const methods = emitter as unknown as Methods;
      binding = new Binding(slot, copyOf(methods));
      (emitter as unknown as Record<symbol, Binding>)[this.#key] = binding;
      // Assigned and not defined: hiding them from `Object.keys` would take twenty times as long,
      // and servers bind two emitters per request.
      const ours = this.#methods;
      methods.on = ours.on;
      methods.addListener = ours.addListener;
      methods.once = ours.once;
      methods.prependListener = ours.prependListener;
      methods.prependOnceListener = ours.prependOnceListener;
      methods.rawListeners = ours.rawListeners;
    } catch (error) {
      // Frozen, or a proxy, which may refuse anything.
      if (binding !== undefined) this.#undo(emitter, binding);
      sayUnbound(emitter, error);
    }
  }

  #bindingOf(emitter: object): Binding | undefined {
    return (emitter as Record<symbol, Binding | undefined>)[this.#key];
  }

  /** Takes back what was done before the emitter refused. */
  #undo(emitter: EventEmitter, binding: Binding): void {
    try {
      delete (emitter as unknown as Record<symbol, Binding>)[this.#key];
      const inherited = Object.getPrototypeOf(emitter) as Methods;
      for (const method of METHODS) {
        const original = binding.original[method];
        if ((emitter as unknown as Methods)[method] === original) continue;
        if (inherited[method] === original) delete (emitter as unknown as Partial<Methods>)[method];
        else (emitter as unknown as Methods)[method] = original;
      }
    } catch {
      // It refuses this, too. Without a binding our methods pass everything on.
    }
  }

  #adding(method: Method): AnyFunction {
    const bindingOf = (emitter: object): Binding | undefined => this.#bindingOf(emitter);
    const store = this.#store;
    return function (this: EventEmitter, event: EventName, listener: Listener): unknown {
      const binding = bindingOf(this);
      if (binding === undefined || typeof listener !== 'function') {
        const { [method]: original } = binding?.original ?? (EventEmitter.prototype as Methods);
        return original.call(this, event, listener);
      }
      const wrapped = wrapListener(event, listener, (target) =>
        callWith(store, binding.slot, target),
      );
      return binding.original[method].call(this, event, wrapped);
    };
  }

  #rawListeners(): AnyFunction {
    const bindingOf = (emitter: object): Binding | undefined => this.#bindingOf(emitter);
    return function (this: EventEmitter, event: EventName): unknown {
      const { rawListeners } = bindingOf(this)?.original ?? (EventEmitter.prototype as Methods);
      return (rawListeners.call(this, event) as Listener[]).map((each) => nameOf(each));
    };
  }
}

function copyOf(methods: Methods): Methods {
  return {
    on: methods.on,
    addListener: methods.addListener,
    once: methods.once,
    prependListener: methods.prependListener,
    prependOnceListener: methods.prependOnceListener,
    rawListeners: methods.rawListeners,
  };
}

function sayUnbound(emitter: EventEmitter, error: unknown): void {
  let kind = 'an emitter';
  try {
    kind = `a ${emitter.constructor.name}`;
  } catch {
    // Its `constructor` is not to be had; the sentence is good enough without.
  }
  sayOnce(
    'warn',
    `bind-emitter:${kind}`,
    `Cannot bind ${kind} to a context: ${messageOf(error)}. Its listeners run in the context that is active when an event is emitted.`,
  );
}
