import { patchMethod, type Undo } from '../patch.ts';
import { carriesContext, isContextActive } from './active-context.ts';
import { RepairUnit, type AnyFunction, type RuleState } from './repair-unit.ts';
import type { EmitterRule } from './rule.ts';

const ADDERS = ['on', 'addListener', 'prependListener'];
const ONCE_ADDERS = ['once', 'prependOnceListener'];

/**
 * `emitter`: listeners run in the context of their registration. A listener that is registered
 * while no context is active is left alone: it runs in the context of whoever emits, as ever.
 *
 * Removal by the original works because the emitter finds it on the wrapper under `listener`.
 */
export function wrapEmitter(target: object, rule: EmitterRule, state: RuleState): Undo {
  const methods = rule.method === undefined ? undefined : [rule.method].flat();
  const table = target as Record<string, AnyFunction>;
  const isTarget = !('on' in table) && typeof table['addEventListener'] === 'function';
  if (methods === undefined && isTarget) {
    return wrapEventTarget(target, rule, state);
  }
  const bound: BoundListeners = new WeakMap();
  const patch = (method: string, make: (original: AnyFunction) => AnyFunction): Undo | undefined =>
    typeof table[method] === 'function' ? patchMethod(table, method, make) : undefined;
  const undos = [
    ...(methods ?? [...ADDERS, ...ONCE_ADDERS]).map((method) => {
      const isOnce = ONCE_ADDERS.includes(method);
      const plain = isOnce ? method.replace('once', 'on').replace('Once', '') : undefined;
      return patch(method, (original) => addListener(original, plain, rule, state, bound));
    }),
    ...[rule.remove ?? []]
      .flat()
      .map((method) => patch(method, (original) => removeListener(original, rule, bound))),
    ...[rule.list ?? []]
      .flat()
      .map((method) => patch(method, (original) => listOriginals(original, rule))),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** The wrappers of a listener, for emitters that find listeners by identity alone. */
type BoundListeners = WeakMap<object, AnyFunction[]>;

const keyOf = (rule: EmitterRule): string => rule.originalKey ?? 'listener';

/** `plain` is the method that adds for good, for an `original` that adds for one event. */
function addListener(
  original: AnyFunction,
  plain: string | undefined,
  rule: EmitterRule,
  state: RuleState,
  wrappers: BoundListeners,
): AnyFunction {
  const key = keyOf(rule);
  const position = rule.listener ?? 1;
  return function (this: unknown, ...args: unknown[]): unknown {
    const listener = args[position];
    const isOurs =
      state.active &&
      typeof listener === 'function' &&
      concerns(rule, args[0]) &&
      !(key in listener);
    if (!isOurs) return Reflect.apply(original, this, args);
    const unit = new RepairUnit(state);
    const isAbove = args[0] === 'removeListener' && rule.listener === undefined;
    if (!carriesContext(unit) && !isAbove) return Reflect.apply(original, this, args);
    const fn = isAbove ? toldOriginals(listener as AnyFunction, key) : (listener as AnyFunction);
    const bound =
      plain === undefined
        ? boundListener(fn, unit, rule)
        : boundOnce(fn, unit, rule, this as Emitter, args[0]);
    // As Node marks its own wrappers.
    (bound as AnyFunction & Record<string, unknown>)[key] = listener;
    if (rule.remove !== undefined) {
      wrappers.set(listener, [...(wrappers.get(listener) ?? []), bound]);
    }
    args[position] = bound;
    const add = plain === undefined ? original : (this as Record<string, AnyFunction>)[plain]!;
    return Reflect.apply(add, this, args);
  };
}

/** Removes the wrapper of a listener that was registered through one, else the listener. */
function removeListener(
  original: AnyFunction,
  rule: EmitterRule,
  wrappers: BoundListeners,
): AnyFunction {
  const position = rule.listener ?? 1;
  return function (this: unknown, ...args: unknown[]): unknown {
    const listener = args[position];
    const bound = typeof listener === 'function' ? wrappers.get(listener)?.pop() : undefined;
    if (bound) args[position] = bound;
    return Reflect.apply(original, this, args);
  };
}

function listOriginals(original: AnyFunction, rule: EmitterRule): AnyFunction {
  const key = keyOf(rule);
  return function (this: unknown, ...args: unknown[]): unknown {
    const listeners = Reflect.apply(original, this, args);
    if (!Array.isArray(listeners)) return listeners;
    const originals = listeners.map((each: AnyFunction & Record<string, unknown>) => each[key]);
    // The emitter's own list stays what it is where nothing of ours is in it.
    return originals.every((each) => each === undefined)
      ? listeners
      : listeners.map((each: unknown, index) => originals[index] ?? each);
  };
}

const concerns = (rule: EmitterRule, event: unknown): boolean =>
  rule.events === undefined || rule.events.includes(event as string);

interface Emitter {
  off?: (event: unknown, listener: AnyFunction) => unknown;
  removeListener?: (event: unknown, listener: AnyFunction) => unknown;
}

function boundListener(listener: AnyFunction, unit: RepairUnit, rule: EmitterRule): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return hear(listener, unit, rule, this, args);
  };
}

function hear(
  listener: AnyFunction,
  unit: RepairUnit,
  { when }: EmitterRule,
  thisArg: unknown,
  args: unknown[],
): unknown {
  return when === 'lost' && isContextActive()
    ? Reflect.apply(listener, thisArg, args)
    : unit.enter(listener, thisArg, args);
}

/** The emitter's own wrapper for `once` would hide the original from its removal. */
function boundOnce(
  listener: AnyFunction,
  unit: RepairUnit,
  rule: EmitterRule,
  emitter: Emitter,
  event: unknown,
): AnyFunction {
  let fired = false;
  // Named as Node names its own: a `removeListener` event shows the wrapper.
  const { 'bound onceWrapper': bound } = {
    'bound onceWrapper'(this: unknown, ...args: unknown[]): unknown {
      if (fired) return undefined;
      fired = true;
      if (emitter.removeListener) emitter.removeListener(event, bound);
      else emitter.off?.(event, bound);
      return hear(listener, unit, rule, this, args);
    },
  };
  onceWrappers.add(bound);
  return bound;
}

const onceWrappers = new WeakSet<AnyFunction>();

/** A `removeListener` listener that hears of the original where a wrapper was removed. */
function toldOriginals(listener: AnyFunction, key: string): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const removed = args[1] as (AnyFunction & Record<string, unknown>) | undefined;
    if (typeof removed === 'function' && key in removed && !onceWrappers.has(removed)) {
      args[1] = removed[key];
    }
    return Reflect.apply(listener, this, args);
  };
}

interface WrappedListener {
  handleEvent: AnyFunction;
}

type Listeners = Map<string, WeakMap<object, WrappedListener>>;

/**
 * An `EventTarget` has no place for the original, so the wrapper is looked up by it: `wrappers`
 * holds it per target, per event and phase, as long as both target and listener live.
 */
function wrapEventTarget(target: object, rule: EmitterRule, state: RuleState): Undo {
  const wrappers = new WeakMap<object, Listeners>();
  let handedOut = false;
  const find = (self: object, key: string): WeakMap<object, WrappedListener> => {
    let listeners = wrappers.get(self);
    if (!listeners) wrappers.set(self, (listeners = new Map()));
    let entries = listeners.get(key);
    if (!entries) listeners.set(key, (entries = new WeakMap()));
    return entries;
  };
  const table = target as Record<string, AnyFunction>;
  const undoAdd = patchMethod(table, 'addEventListener', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const [type, listener, options] = args;
      const isOurs = state.active && isListener(listener) && typeof type === 'string';
      if (!isOurs || !concerns(rule, type)) return Reflect.apply(original, this, args);
      const entries = find(this as object, `${type}:${String(isCapture(options))}`);
      // The same listener again is ignored by the target, as long as it is the same wrapper.
      let bound = entries.get(listener);
      if (!bound) {
        const unit = new RepairUnit(state);
        if (!carriesContext(unit)) return Reflect.apply(original, this, args);
        bound = { handleEvent: boundHandler(listener, unit, { target: this, options, entries }) };
        entries.set(listener, bound);
        handedOut = true;
      }
      return Reflect.apply(original, this, [type, bound, ...args.slice(2)]);
    };
  });
  const undoRemove = patchMethod(table, 'removeEventListener', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const [type, listener, options] = args;
      const key = `${String(type)}:${String(isCapture(options))}`;
      const entries = wrappers.get(this as object)?.get(key);
      const bound = entries?.get(listener as object);
      if (!bound) return Reflect.apply(original, this, args);
      entries?.delete(listener as object);
      return Reflect.apply(original, this, [type, bound, ...args.slice(2)]);
    };
  });
  return () => {
    undoAdd?.();
    // Listeners that were added meanwhile still have to be found when they are removed.
    if (!handedOut) undoRemove?.();
  };
}

function isListener(value: unknown): value is object {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && 'handleEvent' in value
    ? typeof value.handleEvent === 'function'
    : false;
}

function isCapture(options: unknown): boolean {
  if (typeof options === 'boolean') return options;
  return typeof options === 'object' && options !== null && 'capture' in options
    ? Boolean(options.capture)
    : false;
}

function boundHandler(
  listener: object,
  unit: RepairUnit,
  registration: {
    target: unknown;
    options: unknown;
    entries: WeakMap<object, WrappedListener>;
  },
): AnyFunction {
  const { target, options, entries } = registration;
  const isOnce =
    typeof options === 'object' && options !== null && 'once' in options && Boolean(options.once);
  // Node looks at an object's method when it is registered, and never again.
  const [fn, thisArg] =
    typeof listener === 'function'
      ? [listener as AnyFunction, target]
      : [(listener as WrappedListener).handleEvent, listener];
  return function (this: unknown, ...args: unknown[]): unknown {
    if (isOnce) entries.delete(listener);
    return unit.enter(fn, thisArg, args);
  };
}
