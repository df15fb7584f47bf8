import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { rootResource } from './active-context.ts';
import type { AnyFunction, RuleState } from './repair-unit.ts';
import type { HomeRule } from './rule.ts';

/** The key under which OpenTelemetry's SDKs mark work that is not to be traced. */
const SUPPRESSED = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * `home`: the method runs in the root context and not in that of whoever came first, because what
 * it makes (a socket, a timer, a pooled object) outlives the call.
 */
export function wrapHome(original: AnyFunction, rule: HomeRule, state: RuleState): AnyFunction {
  const leave = rule.leave === 'trace' ? leaveTrace : leaveAll;
  return function (this: unknown, ...args: unknown[]): unknown {
    return state.active ? leave(original, this, args) : Reflect.apply(original, this, args);
  };
}

/** Leaves the trace only: an application that runs as a whole inside a store of its own keeps it. */
function leaveTrace(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
  const active = context.active();
  if (active === ROOT_CONTEXT || active.getValue(SUPPRESSED) === true) {
    return Reflect.apply(fn, thisArg, args);
  }
  return context.with(ROOT_CONTEXT, fn, thisArg, ...args);
}

function leaveAll(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
  return rootResource().runInAsyncScope(fn, thisArg, ...args);
}
