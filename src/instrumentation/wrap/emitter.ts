import { patchMethod, type Undo } from '../patch.ts';
import { carriesContext } from './active-context.ts';
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
  if (methods === undefined && typeof table['addEventListener'] === 'function') {
    return wrapEventTarget(target, rule, state);
  }
  const undos: (Undo | undefined)[] = [];
  for (const method of methods ?? [...ADDERS, ...ONCE_ADDERS]) {
    if (typeof table[method] !== 'function') continue;
    const isOnce = ONCE_ADDERS.includes(method);
    const plain = isOnce ? method.replace('once', 'on').replace('Once', '') : method;
    undos.push(
      patchMethod(table, method, (original) => {
        return addListener(original, isOnce ? plain : undefined, rule, state);
      }),
    );
  }
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** `plain` is the method that adds for good, for an `original` that adds for one event. */
function addListener(
  original: AnyFunction,
  plain: string | undefined,
  rule: EmitterRule,
  state: RuleState,
): AnyFunction {
  const key = rule.originalKey ?? 'listener';
  return function (this: unknown, ...args: unknown[]): unknown {
    const [event, listener] = args;
    const isOurs =
      state.active && typeof listener === 'function' && concerns(rule, event) && !(key in listener);
    if (!isOurs) return Reflect.apply(original, this, args);
    const unit = new RepairUnit(state);
    if (!carriesContext(unit)) return Reflect.apply(original, this, args);
    const bound =
      plain === undefined
        ? boundListener(listener as AnyFunction, unit)
        : boundOnce(listener as AnyFunction, unit, this as Emitter, event);
    Object.defineProperty(bound, key, { value: listener });
    const add = plain === undefined ? original : (this as Record<string, AnyFunction>)[plain]!;
    return Reflect.apply(add, this, [event, bound, ...args.slice(2)]);
  };
}

const concerns = (rule: EmitterRule, event: unknown): boolean =>
  rule.events === undefined || rule.events.includes(event as string);

interface Emitter {
  off?: (event: unknown, listener: AnyFunction) => unknown;
  removeListener?: (event: unknown, listener: AnyFunction) => unknown;
}

function boundListener(listener: AnyFunction, unit: RepairUnit): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return unit.enter(listener, this, args);
  };
}

/** The emitter's own wrapper for `once` would hide the original from its removal. */
function boundOnce(
  listener: AnyFunction,
  unit: RepairUnit,
  emitter: Emitter,
  event: unknown,
): AnyFunction {
  let fired = false;
  const bound = function (this: unknown, ...args: unknown[]): unknown {
    if (fired) return undefined;
    fired = true;
    if (emitter.removeListener) emitter.removeListener(event, bound);
    else emitter.off?.(event, bound);
    return unit.enter(listener, this, args);
  };
  return bound;
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
        bound = { handleEvent: boundHandler(listener, unit, options, entries) };
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
  options: unknown,
  entries: WeakMap<object, WrappedListener>,
): AnyFunction {
  const isOnce =
    typeof options === 'object' && options !== null && 'once' in options && Boolean(options.once);
  return function (this: unknown, ...args: unknown[]): unknown {
    if (isOnce) entries.delete(listener);
    if (typeof listener === 'function') {
      const event = args[0] as { currentTarget?: unknown } | undefined;
      return unit.enter(listener as AnyFunction, event?.currentTarget, args);
    }
    const { handleEvent } = listener as { handleEvent: AnyFunction };
    return unit.enter(handleEvent, listener, args);
  };
}
