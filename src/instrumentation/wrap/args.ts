import {
  bindFunction,
  callInside,
  RepairUnit,
  type AnyFunction,
  type RuleState,
} from './repair-unit.ts';
import type { ArgsRule, HandlerRule, IteratorRule } from './rule.ts';

/** `args`: functions among the arguments run in the context of the caller. */
export function wrapArgs(original: AnyFunction, rule: ArgsRule, state: RuleState): AnyFunction {
  const positions = rule.argument === undefined ? undefined : [rule.argument].flat();
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!state.active) return Reflect.apply(original, this, args);
    let unit: RepairUnit | undefined;
    const count = positions === undefined ? args.length : positions.length;
    for (let turn = 0; turn < count; turn++) {
      const position = positions === undefined ? turn : positions[turn]!;
      const index = position < 0 ? args.length + position : position;
      const value = args[index];
      if (typeof value !== 'function') continue;
      unit ??= new RepairUnit(state);
      args[index] = bindFunction(value as AnyFunction, unit);
    }
    return unit ? callInside(unit, original, this, args) : Reflect.apply(original, this, args);
  };
}

/**
 * `handler`: the functions of an object (or array) of callbacks run in the context of the caller.
 * The library gets a proxy; the object itself is not touched and stays `this` of its methods.
 */
export function wrapHandler(
  original: AnyFunction,
  rule: HandlerRule,
  state: RuleState,
): AnyFunction {
  const position = rule.argument ?? 0;
  return function (this: unknown, ...args: unknown[]): unknown {
    const handler = args[position];
    const isObject = typeof handler === 'object' && handler !== null;
    if (!state.active || !isObject) return Reflect.apply(original, this, args);
    // Bound already: the library passes it on, perhaps from a queue that somebody else's work drains.
    const caller = units.get(handler);
    if (caller) return caller.enter(original, this, args);
    if (rule.unless !== undefined && rule.unless in handler) {
      return Reflect.apply(original, this, args);
    }
    const unit = new RepairUnit(state);
    args[position] = boundObject(handler, unit);
    return callInside(unit, original, this, args);
  };
}

/** The units of the proxies below. */
const units = new WeakMap<object, RepairUnit>();

/** A proxy of an object of callbacks whose functions run in `unit`. */
export function boundObject(target: object, unit: RepairUnit): object {
  const bound = new WeakMap<object, AnyFunction>();
  const proxy: object = new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver === proxy ? object : receiver);
      if (typeof value !== 'function') {
        return isCallbackList(value) && isReplaceable(object, key)
          ? boundObject(value, unit)
          : value;
      }
      const known = bound.get(value);
      if (known) return known;
      if (key === 'constructor' || !isReplaceable(object, key)) return value;
      // The methods are meant for the object itself: private fields do not exist on a proxy.
      const wrapper = new Proxy(value as AnyFunction, {
        apply: (fn, thisArg, args: unknown[]) =>
          unit.enter(fn, thisArg === proxy ? object : thisArg, args),
      });
      bound.set(value, wrapper);
      return wrapper;
    },
    set: (object, key, value) => Reflect.set(object, key, value),
  });
  units.set(proxy, unit);
  return proxy;
}

/** A list that ends in a function, as in the tasks of `async.auto`. */
const isCallbackList = (value: unknown): value is unknown[] =>
  Array.isArray(value) && typeof value.at(-1) === 'function';

/** A proxy has to show a constant property as it is. */
function isReplaceable(object: object, key: PropertyKey): boolean {
  const own = Object.getOwnPropertyDescriptor(object, key);
  return own === undefined || own.configurable === true || own.writable === true;
}

const STEPS = ['next', 'return', 'throw'] as const;

/** `iterator`: each step of the iterator that the method returns runs in its caller's context. */
export function wrapIterator(
  original: AnyFunction,
  _rule: IteratorRule,
  state: RuleState,
): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const result = Reflect.apply(original, this, args);
    if (state.active && typeof result === 'object' && result !== null) {
      bindSteps(result, new RepairUnit(state));
    }
    return result;
  };
}

/** Shadows the steps on the iterator itself, so that its identity stays. */
function bindSteps(iterator: object, unit: RepairUnit): void {
  if (!Object.isExtensible(iterator)) return;
  for (const step of STEPS) {
    const fn = (iterator as Record<string, unknown>)[step];
    if (typeof fn !== 'function') continue;
    Object.defineProperty(iterator, step, {
      value: bindFunction(fn as AnyFunction, unit),
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }
}
