import type { Slot } from './attachment.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';

/** A private receiver: a bound function that is called with it returns what it binds. */
const ASK: object = Object.freeze({});

/**
 * Returns a function that calls `target` with `slot` and has the same name and length as `target`.
 *
 * Both are defined on first access. Defining them for each bound function would cost ten times as
 * much as binding it.
 */
export function bindFunction<Target extends AnyFunction>(
  store: ContextStore,
  slot: Slot,
  target: Target,
): Target {
  return new Proxy(callWith(store, slot, target), LOOKS_LIKE_TARGET) as Target;
}

/**
 * The same without name and length, for functions where these do not matter: the listeners of
 * emitters.
 */
export function callWith(store: ContextStore, slot: Slot, target: AnyFunction): AnyFunction {
  return function (this: unknown, a?: unknown, b?: unknown) {
    if (this === ASK) return target;
    // No rest parameter: `arguments` costs nothing where its length is enough.
    // oxlint-disable-next-line prefer-rest-params
    const all = arguments;
    const count = all.length;
    if (count > 2) return store.run(slot, target, this, count, a, b, all);
    return store.run(slot, target, this, count, a, b);
  };
}

/** Gives the function behind the proxy its name and length, once. */
function define(bound: AnyFunction): void {
  if (defined.has(bound)) return;
  defined.add(bound);
  const target = bound.call(ASK) as AnyFunction;
  for (const key of ['name', 'length'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined) Object.defineProperty(bound, key, descriptor);
    else Reflect.deleteProperty(bound, key);
  }
}

/** The bound functions whose name or length was read. An entry is collected with its function. */
const defined = new WeakSet<AnyFunction>();

const LOOKS_LIKE_TARGET: ProxyHandler<AnyFunction> = {
  // Named, because Node looks for it on each call and finds it faster than its absence.
  apply: undefined as unknown as NonNullable<ProxyHandler<AnyFunction>['apply']>,
  get(bound, key, receiver) {
    define(bound);
    return Reflect.get(bound, key, receiver) as unknown;
  },
  getOwnPropertyDescriptor(bound, key) {
    define(bound);
    return Reflect.getOwnPropertyDescriptor(bound, key);
  },
  defineProperty(bound, key, descriptor) {
    define(bound);
    return Reflect.defineProperty(bound, key, descriptor);
  },
  deleteProperty(bound, key) {
    define(bound);
    return Reflect.deleteProperty(bound, key);
  },
  preventExtensions(bound) {
    define(bound);
    return Reflect.preventExtensions(bound);
  },
};
