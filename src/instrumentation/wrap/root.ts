import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { runInRoot, runOutsideTrace } from '../../carry/root-context.ts';
import { isSuppressed } from '../../carry/suppression.ts';
import type { AnyFunction, RuleState } from './repair-unit.ts';
import type { RootRule } from './rule.ts';

/**
 * `root`: the method runs in the root context and not in that of whoever came first, because what
 * it makes (a socket, a timer, a pooled object) outlives the call.
 */
export function wrapRoot(original: AnyFunction, rule: RootRule, state: RuleState): AnyFunction {
  const leave = rule.leave === 'trace' ? leaveTrace : leaveAll;
  return function (this: unknown, ...args: unknown[]): unknown {
    return state.active ? leave(original, this, args) : Reflect.apply(original, this, args);
  };
}

/** Leaves the trace only: an application that runs as a whole inside a store of its own keeps it. */
function leaveTrace(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
  const active = context.active();
  if (active === ROOT_CONTEXT || isSuppressed(active)) {
    return Reflect.apply(fn, thisArg, args);
  }
  return runOutsideTrace(fn, thisArg, ...args);
}

function leaveAll(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
  return runInRoot(fn, thisArg, ...args);
}
