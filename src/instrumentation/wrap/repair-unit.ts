import { context, trace, type Context } from '@opentelemetry/api';

import { OperationResource } from '../../carry/operation-resource.ts';
import { isMarking, linksOf, repairOf, withMarker } from './marker.ts';

/** A function of whatever signature: what rules wrap has no type we could know. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (this: any, ...args: unknown[]) => unknown;

/** What the wrappers of one rule share: how its units are named, and whether it still holds. */
export interface RuleState {
  /** The type of the async resources: the library and the method. */
  readonly type: string;
  /** What `clew.repaired` says: the kind and the library. */
  readonly label: string;
  /** The rule in words, to know it again. */
  readonly rule: string;
  /** Whether who calls the callback is its cause, to be linked. */
  readonly linksEmitter: boolean;
  /** False once the rule is undone: wrappers that are still referenced then pass through. */
  active: boolean;
}

/** The operation resource of a rule: one caller's unit of work. */
export class RepairUnit extends OperationResource {
  readonly state: RuleState;
  /** OpenTelemetry's context of the caller. */
  readonly context: Context = context.active();
  /** True while the call that made the unit is on the stack: its context is active anyway. */
  calling = false;

  constructor(state: RuleState) {
    super(state.type);
    this.state = state;
  }

  /** Calls `fn` in the context of the unit; spans started in it say that they were repaired. */
  enter(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
    // Entering here would let a recursion of synchronous callbacks open a scope at each level.
    if (this.calling) return Reflect.apply(fn, thisArg, args);
    // Leaving `with` survives a stack overflow, which leaving a scope does not.
    if (OperationResource.isTooDeep) return context.with(this.context, fn, thisArg, ...args);
    if (!isMarking()) return this.run(fn, thisArg, ...args);
    return this.run(enterMarked, undefined, this.state, context.active(), fn, thisArg, args);
  }
}

function enterMarked(
  { label, linksEmitter }: RuleState,
  outer: Context,
  fn: AnyFunction,
  thisArg: unknown,
  args: unknown[],
): unknown {
  const inner = context.active();
  // Where the runtime carried the context by itself nothing was repaired; but it may carry one that
  // a rule repaired on the way here, as from a task to its callback.
  if (trace.getSpan(inner) === trace.getSpan(outer)) {
    const repair = repairOf(outer);
    return repair ? withMarker(inner, repair, fn, thisArg, args) : Reflect.apply(fn, thisArg, args);
  }
  const links = linksEmitter ? linksOf([outer], inner) : [];
  return withMarker(inner, links.length > 0 ? { label, links } : { label }, fn, thisArg, args);
}

/** A proxy of `fn` that runs it in the unit: name, length, properties and tags stay its own. */
export function bindFunction(fn: AnyFunction, unit: RepairUnit): AnyFunction {
  return new Proxy(fn, new BoundHandler(unit));
}

class BoundHandler {
  readonly #unit: RepairUnit;

  constructor(unit: RepairUnit) {
    this.#unit = unit;
  }

  apply(fn: AnyFunction, thisArg: unknown, args: unknown[]): unknown {
    return this.#unit.enter(fn, thisArg, args);
  }
}

/** Calls `fn`, a method that was given parts of `unit`, and marks the unit as calling meanwhile. */
export function callInside(
  unit: RepairUnit,
  fn: AnyFunction,
  thisArg: unknown,
  args: unknown[],
): unknown {
  unit.calling = true;
  try {
    return Reflect.apply(fn, thisArg, args);
  } finally {
    unit.calling = false;
  }
}
