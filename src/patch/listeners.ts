/*
 * Replaces the listeners of emitters, independently of contexts.
 *
 * The function registered in place of a listener refers to it as `listener`, as the wrappers of
 * Node's `once` do. So everything in Node that looks for a listener (`off`, `listeners`,
 * `listenerCount`, `newListener`, `events.once`) finds it.
 */

// Functions of the application, with unknown parameters and results.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (this: any, ...args: any[]) => unknown;

export type EventName = string | symbol;

/** Returns the function to call for a listener; undefined leaves the listener as it is. */
export type BindListener = (listener: AnyFunction, event: EventName) => AnyFunction | undefined;

/** The methods of an emitter that add a listener as their second argument. */
export const ADDING_METHODS = [
  'on',
  'addListener',
  'once',
  'prependListener',
  'prependOnceListener',
] as const;

/** The property under which an emitter of Node looks for the listener behind a wrapper. */
const NODE_KEY = 'listener';

export type Listener = AnyFunction & {
  [WRAPPER]?: 'listener' | 'once';
};

/**
 * On a wrapper: `listener` on one of ours, `once` on one of the emitter's around it. In the global
 * registry, so that two copies of this package know each other's.
 */
const WRAPPER: unique symbol = Symbol.for('clew.listener-wrapper');

/** How the listeners of an emitter are found. */
export interface ListenerPlace {
  /** The argument that is the listener. */
  position: number;
  /** The property under which the emitter looks for the listener behind a wrapper. */
  key: string;
}

const NODE_PLACE: ListenerPlace = { position: 1, key: NODE_KEY };

/** An adding method of an emitter that registers what `bind` makes of a listener. */
export function addingListener(
  original: AnyFunction,
  bind: BindListener,
  { position, key }: ListenerPlace = NODE_PLACE,
): AnyFunction {
  return function (this: unknown, event: EventName, second: unknown): unknown {
    // No rest parameter: `arguments` costs nothing where they are only passed on.
    // oxlint-disable-next-line prefer-rest-params
    const given = arguments;
    const listener: unknown = position === 1 ? second : given[position];
    if (typeof listener !== 'function') return Reflect.apply(original, this, given);
    const registered = wrapListener(event, listener as Listener, bind, key);
    if (registered === listener) return Reflect.apply(original, this, given);
    if (given.length === 2 && position === 1) return original.call(this, event, registered);
    const args: unknown[] = Array.from(given);
    args[position] = registered;
    return Reflect.apply(original, this, args);
  };
}

/**
 * Returns what to register for `listener`: a wrapper of what `bind` makes of it, or the listener
 * itself where `bind` leaves it alone, and where it is the wrapper of another package.
 */
export function wrapListener(
  event: EventName,
  listener: Listener,
  bind: BindListener,
  key: string = NODE_KEY,
): Listener {
  if (listener[WRAPPER] === 'once') return listener;
  const inner =
    listener[WRAPPER] === undefined ? (named(listener)[key] as Listener | undefined) : undefined;
  if (inner !== undefined) {
    // Not ours: the emitter may look for either of the two, and a wrapper can name only one.
    if (typeof inner !== 'function' || inner[WRAPPER] !== 'listener') return listener;
    // `once` has wrapped a wrapper and comes back through `on`: it is wrapped already. It names
    // the wrapper, and has to name the listener, for that is what will be looked for.
    named(listener)[key] = nameOf(inner, key);
    listener[WRAPPER] = 'once';
    return listener;
  }
  const heard = event === 'removeListener' && key === NODE_KEY ? telling(listener) : listener;
  const bound = bind(heard, event) ?? heard;
  if (bound === listener) return listener;
  const wrapper = bound as Listener;
  named(wrapper)[key] = nameOf(listener, key);
  wrapper[WRAPPER] = 'listener';
  return wrapper;
}

/** Whether `listener` is a wrapper of ours. */
export function isWrapper(listener: Listener): boolean {
  return listener[WRAPPER] !== undefined;
}

/** The listener behind a wrapper of ours; anything else is its own name. */
export function nameOf(listener: Listener, key: string = NODE_KEY): AnyFunction {
  if (typeof listener !== 'function' || listener[WRAPPER] !== 'listener') return listener;
  return (named(listener)[key] as AnyFunction | undefined) ?? listener;
}

/** A method that returns listeners, which shows those of the application and no wrapper of ours. */
export function listingListeners(original: AnyFunction, key: string = NODE_KEY): AnyFunction {
  return function (this: unknown): unknown {
    // oxlint-disable-next-line prefer-rest-params
    const listeners = Reflect.apply(original, this, arguments);
    if (!Array.isArray(listeners)) return listeners;
    const names = listeners.map((each: Listener) => nameOf(each, key));
    // The emitter's own list stays what it is where nothing of ours is in it.
    return names.every((name, index) => name === listeners[index]) ? listeners : names;
  };
}

const named = (listener: AnyFunction): Record<string, unknown> =>
  listener as unknown as Record<string, unknown>;

/** `removeAllListeners` reports the registered functions, which here are our wrappers. */
function telling(listener: AnyFunction): AnyFunction {
  return function (this: unknown, event: EventName, removed: Listener, ...rest: unknown[]) {
    return listener.call(this, event, nameOf(removed), ...rest);
  };
}
