import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { patchMethod, type Undo } from '../../base/patch.ts';
import { reportAmbiguity } from './ambiguity.ts';
import { isMarking, linksOf, withMarker } from './marker.ts';
import {
  bindFunction,
  callInside,
  RepairUnit,
  type AnyFunction,
  type RuleState,
} from './repair-unit.ts';
import type { TaskRule } from './rule.ts';

/*
 * Which caller a queued item belongs to. The item itself is the key, so the library sees what it
 * was given. An item that is queued twice has two entries, in the order of the queue. An entry
 * goes when the item is worked on, with its item where that is an object, and with all others
 * when the library drops items in bulk.
 */
export class TaskLedger {
  #objects = new WeakMap<object, RepairUnit[]>();
  readonly #primitives = new Map<unknown, RepairUnit[]>();

  put(item: unknown, unit: RepairUnit, first: boolean): void {
    const units = this.#units(item);
    if (!units) this.#set(item, [unit]);
    else if (first) units.unshift(unit);
    else units.push(unit);
  }

  take(item: unknown): RepairUnit | undefined {
    const units = this.#units(item);
    const unit = units?.shift();
    if (units?.length === 0) this.#delete(item);
    return unit;
  }

  clear(): void {
    this.#objects = new WeakMap();
    this.#primitives.clear();
  }

  #units(item: unknown): RepairUnit[] | undefined {
    return isObject(item) ? this.#objects.get(item) : this.#primitives.get(item);
  }

  #set(item: unknown, units: RepairUnit[]): void {
    if (isObject(item)) this.#objects.set(item, units);
    else this.#primitives.set(item, units);
  }

  #delete(item: unknown): void {
    if (isObject(item)) this.#objects.delete(item);
    else this.#primitives.delete(item);
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const listOf = (names: string | readonly string[] | undefined): string[] =>
  names === undefined ? [] : [names].flat();

/** `task` for a queue object whose own methods work on the items (`enter`). */
export function wrapTask(target: object, rule: TaskRule, state: RuleState): Undo {
  if (rule.share !== undefined) return wrapSharedTask(target, rule, rule.share, state);
  // One ledger per queue: patched prototypes serve many.
  const ledgers = new WeakMap<object, TaskLedger>();
  const ledgerOf = (self: unknown): TaskLedger => {
    const key = isObject(self) ? self : target;
    let ledger = ledgers.get(key);
    if (!ledger) ledgers.set(key, (ledger = new TaskLedger()));
    return ledger;
  };
  const undos = patchQueue(target, rule, state, ledgerOf);
  for (const method of listOf(rule.enter)) {
    undos.push(
      patchMethod(target as Record<string, AnyFunction>, method, (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          return work(rule, state, ledgerOf(this), original, this, args);
        };
      }),
    );
  }
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** Units by item, for items that are passed on: an entry goes with its item. */
const shared = new Map<string, WeakMap<object, RepairUnit>>();

/** The units of all rules that share `name`. */
export function sharedUnits(name: string): WeakMap<object, RepairUnit> {
  let units = shared.get(name);
  if (!units) shared.set(name, (units = new WeakMap()));
  return units;
}

function wrapSharedTask(target: object, rule: TaskRule, name: string, state: RuleState): Undo {
  const units = sharedUnits(name);
  const table = target as Record<string, AnyFunction>;
  const position = rule.argument ?? 0;
  const undos = [
    ...listOf(rule.method).map((method) =>
      patchMethod(table, method, (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          const item = args[position];
          if (!state.active || !isObject(item) || units.has(item)) {
            return Reflect.apply(original, this, args);
          }
          const unit = new RepairUnit(state);
          units.set(item, unit);
          return callInside(unit, original, this, args);
        };
      }),
    ),
    ...listOf(rule.enter).map((method) =>
      patchMethod(table, method, (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          const item = args[position];
          const unit = state.active && isObject(item) ? units.get(item) : undefined;
          return unit ? unit.enter(original, this, args) : Reflect.apply(original, this, args);
        };
      }),
    ),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** `task` for a factory that is given the worker: what is queued in its result reaches the worker. */
export function wrapTaskFactory(
  original: AnyFunction,
  rule: TaskRule,
  state: RuleState,
  track: (queue: object, undo: Undo) => void,
): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!state.active) return Reflect.apply(original, this, args);
    const ledger = new TaskLedger();
    const position = findWorker(args, rule.worker ?? 0);
    const worker = args[position];
    if (typeof worker !== 'function') return Reflect.apply(original, this, args);
    args[position] = new Proxy(worker as AnyFunction, {
      apply: (fn, thisArg, given: unknown[]) => work(rule, state, ledger, fn, thisArg, given),
    });
    const queue = Reflect.apply(original, this, args);
    if (isObject(queue)) {
      const undos = patchQueue(queue, rule, state, () => ledger);
      track(queue, () => {
        for (const undo of undos) undo?.();
      });
    }
    return queue;
  };
}

/** Factories with an optional first argument have their worker where the first function is. */
function findWorker(args: unknown[], position: number): number {
  return typeof args[position] === 'function'
    ? position
    : args.findIndex((value) => typeof value === 'function');
}

function patchQueue(
  queue: object,
  rule: TaskRule,
  state: RuleState,
  ledgerOf: (self: unknown) => TaskLedger,
): (Undo | undefined)[] {
  const table = queue as Record<string, AnyFunction>;
  const add = (method: string, first: boolean): Undo | undefined =>
    patchMethod(table, method, (original) => addItem(original, rule, state, ledgerOf, first));
  return [
    ...listOf(rule.method).map((method) => add(method, false)),
    ...listOf(rule.front).map((method) => add(method, true)),
    ...listOf(rule.forget).map((method) =>
      patchMethod(table, method, (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          ledgerOf(this).clear();
          return Reflect.apply(original, this, args);
        };
      }),
    ),
  ];
}

function addItem(
  original: AnyFunction,
  rule: TaskRule,
  state: RuleState,
  ledgerOf: (self: unknown) => TaskLedger,
  first: boolean,
): AnyFunction {
  const position = rule.argument ?? 0;
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!state.active) return Reflect.apply(original, this, args);
    const unit = new RepairUnit(state);
    const given = args[position];
    const items = rule.spread && Array.isArray(given) ? (given as unknown[]) : [given];
    const ledger = ledgerOf(this);
    for (const item of items) ledger.put(item, unit, first);
    for (let index = position + 1; index < args.length; index++) {
      const value = args[index];
      if (typeof value === 'function') args[index] = bindFunction(value as AnyFunction, unit);
    }
    return callInside(unit, original, this, args);
  };
}

function work(
  rule: TaskRule,
  state: RuleState,
  ledger: TaskLedger,
  worker: AnyFunction,
  thisArg: unknown,
  args: unknown[],
): unknown {
  if (rule.batch) return workOnBatch(state, ledger, worker, thisArg, args);
  const unit = ledger.take(args[0]);
  return unit ? unit.enter(worker, thisArg, args) : Reflect.apply(worker, thisArg, args);
}

/** Several callers in one batch: nobody's context is right, so the others are linked. */
function workOnBatch(
  state: RuleState,
  ledger: TaskLedger,
  worker: AnyFunction,
  thisArg: unknown,
  args: unknown[],
): unknown {
  const items = Array.isArray(args[0]) ? (args[0] as unknown[]) : [args[0]];
  const units = new Set(
    items.map((item) => ledger.take(item)).filter((unit) => unit !== undefined),
  );
  const contexts = new Set([...units].map((unit) => unit.context));
  const [only] = units;
  // Without OpenTelemetry every context looks alike, so only one and the same unit is one caller.
  const isOneContext = contexts.size === 1 && !contexts.has(ROOT_CONTEXT);
  if (only && (units.size === 1 || isOneContext)) return only.enter(worker, thisArg, args);
  const active = context.active();
  if (contexts.size > 1) reportAmbiguity(state, contexts.size);
  const links = isMarking() ? linksOf(contexts, active) : [];
  return links.length > 0
    ? withMarker(active, { links }, worker, thisArg, args)
    : Reflect.apply(worker, thisArg, args);
}
