import { context, type Context } from '@opentelemetry/api';

import { inFlightOf } from '../http/server/request-context.ts';
import {
  addingEventListener,
  canBindEventListeners,
  isEventTarget,
} from '../../patch/event-target.ts';
import {
  ADDING_METHODS,
  addingListener,
  isWrapper,
  listingListeners,
  type BindListener,
  type ListenerPlace,
} from '../../patch/listeners.ts';
import { patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { carriesContext, isContextActive, isSurelyOutside } from './active-context.ts';
import { RepairUnit, type AnyFunction, type RuleState } from './repair-unit.ts';
import type { EmitterRule } from './rule.ts';

/**
 * `emitter`: listeners run in the context of their registration. A listener that is registered
 * while no context is active is left alone: it runs in the context of whoever emits, as ever.
 */
export function wrapEmitter(target: object, rule: EmitterRule, state: RuleState): Undo | undefined {
  const table = target as Record<string, AnyFunction>;
  const patch = (method: string, make: (original: AnyFunction) => AnyFunction): Undo | undefined =>
    typeof table[method] === 'function' ? patchMethod(table, method, make) : undefined;
  if (rule.method === undefined && isEventTarget(target)) {
    if (!canBindEventListeners) return undefined;
    const bind = binding(rule, state);
    return patch('addEventListener', (original) => addingEventListener(original, bind));
  }
  const place = { position: rule.listener ?? 1, key: rule.originalKey ?? 'listener' };
  const wrappers: Wrappers | undefined = rule.remove === undefined ? undefined : new WeakMap();
  const bind = binding(rule, state, wrappers);
  const methods = [rule.method ?? ADDING_METHODS].flat();
  const undos = [
    ...methods.map((method) => patch(method, (original) => addingListener(original, bind, place))),
    ...[rule.remove ?? []]
      .flat()
      .map((method) => patch(method, (original) => removing(original, place, wrappers))),
    ...listsOf(rule).map((method) =>
      patch(method, (original) => listingListeners(original, place.key)),
    ),
  ];
  return undos.every((undo) => undo === undefined) ? undefined : undoAll(undos);
}

const listsOf = ({ list, originalKey }: EmitterRule): readonly string[] => [
  ...[list ?? []].flat(),
  ...(originalKey === undefined ? ['rawListeners'] : []),
];

/** The wrappers of a listener, for emitters that find listeners by identity alone. */
type Wrappers = WeakMap<object, AnyFunction[]>;

function binding(rule: EmitterRule, state: RuleState, wrappers?: Wrappers): BindListener {
  const { events, when } = rule;
  return (listener, event) => {
    if (!state.active || isWrapper(listener)) return undefined;
    if (events !== undefined && !events.includes(event as string)) return undefined;
    if (isSurelyOutside()) return undefined;
    const unit = new RepairUnit(state);
    if (!carriesContext(unit)) return undefined;
    const bound = when === 'lost' ? boundWhereLost(listener, unit) : boundTo(listener, unit);
    if (wrappers) wrappers.set(listener, [...(wrappers.get(listener) ?? []), bound]);
    return bound;
  };
}

function boundTo(listener: AnyFunction, unit: RepairUnit): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return unit.enter(listener, this, args);
  };
}

function boundWhereLost(listener: AnyFunction, unit: RepairUnit): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return isActive(unit.context)
      ? Reflect.apply(listener, this, args)
      : unit.enter(listener, this, args);
  };
}

/**
 * Whether a context is active that is as good as `registered`: any other, or where that is of a
 * request, one of the same request. A listener that was added in a context which the application
 * entered inside its request keeps just that.
 */
function isActive(registered: Context): boolean {
  const request = inFlightOf(registered);
  if (request === undefined) return isContextActive();
  return request.context === registered && inFlightOf(context.active()) === request;
}

/** Removes the wrapper of a listener that was registered through one, else the listener. */
function removing(
  original: AnyFunction,
  { position }: ListenerPlace,
  wrappers: Wrappers | undefined,
): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const listener = args[position];
    const bound = typeof listener === 'function' ? wrappers?.get(listener)?.pop() : undefined;
    if (bound) args[position] = bound;
    return Reflect.apply(original, this, args);
  };
}
