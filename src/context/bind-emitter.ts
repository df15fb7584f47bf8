import type { EventEmitter } from 'node:events';

import { callWith } from './bind-function.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/*
 * Binds an emitter: its listeners run in the context the emitter is bound to.
 *
 * The emitter gets its own `on`, `once` and the like, which register a wrapper in the place of the
 * listener. The wrapper names the listener as its `listener`, as the wrappers of Node's `once` do,
 * so that everything in Node that looks for a listener (`off`, `listeners`, `listenerCount`,
 * `newListener`, `events.once`) finds it without help.
 */

type Listener = AnyFunction & { listener?: AnyFunction };
type Methods = Record<'on' | 'addListener' | 'prependListener' | 'rawListeners', AnyFunction>;
type EventName = string | symbol;
type Emitter = EventEmitter & { [BINDINGS]?: ContextStore<unknown>[] };

/** On a bound emitter: the stores of the managers that bound it. */
const BINDINGS: unique symbol = Symbol('clew.bindings');

/** The wrappers of plain listeners. Those of `once` are not here, for they are Node's own form. */
const wrappers = new WeakSet<AnyFunction>();

/** Binds `emitter` once: a further bind through the same manager changes nothing. */
export function bindEmitter<Value>(
  store: ContextStore<Value>,
  value: Value,
  emitter: EventEmitter,
): void {
  const bindings = (emitter as Emitter)[BINDINGS];
  if (bindings?.includes(store)) return;
  if (bindings) bindings.push(store);
  else define(emitter, BINDINGS, [store]);
  new EmitterBinding(store, value, emitter).install();
}

class EmitterBinding<Value> {
  readonly #store: ContextStore<Value>;
  readonly #value: Value;
  readonly #emitter: EventEmitter;

  constructor(store: ContextStore<Value>, value: Value, emitter: EventEmitter) {
    this.#store = store;
    this.#value = value;
    this.#emitter = emitter;
  }

  install(): void {
    const { on, addListener, prependListener } = this.#emitter as unknown as Methods;
    define(this.#emitter, 'on', this.#adding(on));
    define(this.#emitter, 'addListener', this.#adding(addListener));
    define(this.#emitter, 'prependListener', this.#adding(prependListener));
    define(this.#emitter, 'once', this.#addingOnce(on));
    define(this.#emitter, 'prependOnceListener', this.#addingOnce(prependListener));
    this.#installReading();
  }

  #adding(original: AnyFunction): AnyFunction {
    const wrap = (listener: AnyFunction): AnyFunction => this.#wrap(listener);
    return function (this: EventEmitter, event: EventName, listener: AnyFunction) {
      // Node says what is wrong with a listener that is no function.
      if (typeof listener !== 'function') return original.call(this, event, listener);
      return original.call(this, event, wrap(listener));
    };
  }

  #addingOnce(original: AnyFunction): AnyFunction {
    const wrap = (emitter: EventEmitter, event: EventName, listener: AnyFunction): AnyFunction =>
      this.#wrapOnce(emitter, event, listener);
    return function (this: EventEmitter, event: EventName, listener: AnyFunction) {
      if (typeof listener !== 'function') return original.call(this, event, listener);
      return original.call(this, event, wrap(this, event, listener));
    };
  }

  #wrapOnce(emitter: EventEmitter, event: EventName, listener: AnyFunction): AnyFunction {
    const store = this.#store;
    const value = this.#value;
    let fired = false;
    const wrapper: Listener = function () {
      if (fired) return undefined;
      emitter.removeListener(event, wrapper);
      fired = true;
      // oxlint-disable-next-line prefer-rest-params
      return store.run(value, listener, emitter, arguments);
    };
    wrapper.listener = listener;
    return wrapper;
  }

  #wrap(listener: AnyFunction): AnyFunction {
    const wrapper: Listener = callWith(this.#store, this.#value, listener);
    wrapper.listener = listener;
    wrappers.add(wrapper);
    return wrapper;
  }

  #installReading(): void {
    const { rawListeners } = this.#emitter as unknown as Methods;
    define(this.#emitter, 'rawListeners', function (this: EventEmitter, event: EventName) {
      return (rawListeners.call(this, event) as Listener[]).map((listener) =>
        wrappers.has(listener) ? (listener.listener ?? listener) : listener,
      );
    });
  }
}

/** Defines what the emitter's owner does not see when listing its properties. */
function define(emitter: EventEmitter, key: string | symbol, value: unknown): void {
  Object.defineProperty(emitter, key, {
    value,
    configurable: true,
    enumerable: false,
    writable: true,
  });
}
