import { context, type Context } from '@opentelemetry/api';

import { isMarking, linksOf, withMarker } from './marker.ts';
import { RepairUnit, type AnyFunction, type RuleState } from './repair-unit.ts';

const MAX_CALLERS = 32;

/** What the calls since the last run left behind. Emptied by the run and by `cancel`. */
interface Pending {
  unit: RepairUnit | undefined;
  callers: Set<Context>;
}

/**
 * `latest`: a factory of coalesced functions (`debounce`). The function it is given runs for the
 * last caller; earlier callers of the same run are linked.
 */
export function wrapLatest(original: AnyFunction, state: RuleState): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [fn, , options] = args;
    if (!state.active || typeof fn !== 'function') return Reflect.apply(original, this, args);
    const pending: Pending = { unit: undefined, callers: new Set() };
    args[0] = new Proxy(fn as AnyFunction, {
      apply(target, thisArg, given: unknown[]) {
        const { unit, callers } = pending;
        forget(pending);
        return unit
          ? unit.enter(runLinked, undefined, [target, thisArg, given, callers])
          : Reflect.apply(target, thisArg, given);
      },
    });
    const coalesced = Reflect.apply(original, this, args);
    if (typeof coalesced !== 'function') return coalesced;
    return calledBy(coalesced as AnyFunction, state, pending, keepsTrailing(options));
  };
}

/** Without a trailing run a suppressed call is never followed by one: nothing is kept for it. */
function keepsTrailing(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return true;
  return !('trailing' in options) || Boolean(options.trailing);
}

function calledBy(
  coalesced: AnyFunction,
  state: RuleState,
  pending: Pending,
  trailing: boolean,
): AnyFunction {
  const proxy = new Proxy(coalesced, {
    apply(target, thisArg, args: unknown[]) {
      if (!state.active) return Reflect.apply(target, thisArg, args);
      const unit = new RepairUnit(state);
      pending.unit = unit;
      if (isMarking() && pending.callers.size < MAX_CALLERS) pending.callers.add(unit.context);
      unit.calling = true;
      try {
        return Reflect.apply(target, thisArg, args);
      } finally {
        unit.calling = false;
        if (!trailing) forget(pending);
      }
    },
  });
  const { cancel } = coalesced as AnyFunction & { cancel?: AnyFunction };
  if (typeof cancel === 'function') {
    Object.assign(coalesced, {
      cancel: new Proxy(cancel, {
        apply(target, thisArg, args: unknown[]) {
          forget(pending);
          return Reflect.apply(target, thisArg, args);
        },
      }),
    });
  }
  return proxy;
}

function forget(pending: Pending): void {
  pending.unit = undefined;
  pending.callers = new Set();
}

function runLinked(
  this: unknown,
  fn: unknown,
  thisArg: unknown,
  args: unknown,
  callers: unknown,
): unknown {
  const active = context.active();
  const links = isMarking() ? linksOf(callers as Set<Context>, active) : [];
  return links.length > 0
    ? withMarker(active, { links }, fn as AnyFunction, thisArg, args as unknown[])
    : Reflect.apply(fn as AnyFunction, thisArg, args as unknown[]);
}
