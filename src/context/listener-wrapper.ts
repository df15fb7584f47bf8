import type { AnyFunction } from './context-store.ts';

/*
 * The functions registered on an emitter in the place of its listeners.
 *
 * A wrapper names the listener as its `listener`, as the wrappers of Node's `once` do, so that
 * everything in Node that looks for a listener (`off`, `listeners`, `listenerCount`, `newListener`,
 * `events.once`) finds it without help.
 */

export type EventName = string | symbol;
export type Listener = AnyFunction & {
  listener?: AnyFunction;
  [WRAPPER]?: 'listener' | 'once';
};

/**
 * On a wrapper: `listener` on one of ours, `once` on one of Node's around it. In the global registry,
 * so that two copies of this package know each other's.
 */
const WRAPPER: unique symbol = Symbol.for('clew.listener-wrapper');

/**
 * What to register for `listener`: a wrapper, around which `wrap` puts the context. A listener that
 * is no function is returned as it is, because Node has an error of its own for it.
 */
export function wrapListener(
  event: EventName,
  listener: Listener,
  wrap: (target: AnyFunction) => Listener,
): Listener {
  if (typeof listener !== 'function') return listener;
  const inner = listener.listener as Listener | undefined;
  if (inner !== undefined && inner[WRAPPER] === 'listener') {
    // `once` has wrapped a wrapper and comes back through `on`: it is wrapped already. It names
    // the wrapper, and has to name the listener, for that is what will be looked for.
    listener.listener = nameOf(inner);
    listener[WRAPPER] = 'once';
    return listener;
  }
  const wrapper = wrap(event === 'removeListener' ? telling(listener) : listener);
  wrapper.listener = nameOf(listener);
  wrapper[WRAPPER] = 'listener';
  return wrapper;
}

/** Whether `listener` is bound to a context already. */
export function isWrapper(listener: Listener): boolean {
  return typeof listener === 'function' && listener[WRAPPER] !== undefined;
}

/** The listener behind a wrapper of ours; anything else is its own name. */
export function nameOf(listener: Listener): AnyFunction {
  return listener[WRAPPER] === 'listener' ? (listener.listener ?? listener) : listener;
}

/** `removeAllListeners` tells what it found registered, which with us are wrappers. */
function telling(listener: AnyFunction): AnyFunction {
  return function (this: unknown, event: EventName, removed: Listener, ...rest: unknown[]) {
    const named = typeof removed === 'function' ? nameOf(removed) : removed;
    return listener.call(this, event, named, ...rest);
  };
}
