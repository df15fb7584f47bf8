import { ClewError } from '../base/errors.ts';
import { declareType } from '../carry/async-resource-types.ts';
import { reservePatch, patchMethod, patchOnce, undoAll, type Undo } from '../base/patch.ts';
import { wrapArgs, wrapHandler, wrapIterator } from './wrap/args.ts';
import { wrapEmitter } from './wrap/emitter.ts';
import { wrapRoot } from './wrap/root.ts';
import { wrapLatest } from './wrap/latest.ts';
import { findMember, parsePath, type Place } from './wrap/path.ts';
import type { AnyFunction, RuleState } from './wrap/repair-unit.ts';
import { proxyOf, replaceFunction } from './wrap/replace.ts';
import { RULE_KINDS, type ConfigRule, type Rule } from './wrap/rule.ts';
import { wrapTask, wrapTaskFactory } from './wrap/task.ts';

export type {
  ArgsRule,
  ConfigRule,
  EmitterRule,
  HandlerRule,
  RootRule,
  IteratorRule,
  LatestRule,
  Rule,
  RuleKind,
  TaskRule,
} from './wrap/rule.ts';

/**
 * Makes a library's method, emitter, queue or pool keep its callers' contexts.
 *
 * The target is an object, a prototype or a module. The rule names the method and the kind of
 * repair (see `docs/rules.md`). Returns a function that undoes it. Throws `ERR_RULE` if the method
 * does not exist or cannot be replaced.
 *
 * @example const undo = wrap(Pool.prototype, { kind: 'args', method: 'acquire', module: 'my-pool'
 * });
 */
export function wrap(target: object, rule: Rule): Undo {
  const undo = tryWrap(target, rule);
  if (undo) return undo;
  const where = [rule.on, rule.method].flat().filter(Boolean).join(' ');
  throw new ClewError(
    'ERR_RULE',
    `Cannot wrap \`${where || 'the target'}\` (${rule.kind}): no such method, or it cannot be replaced.`,
  );
}

/** What a module loader does with a replaced export that is the module itself. @internal */
export type ReplaceModule = (replacement: unknown) => void;

/** `wrap` that returns undefined where the target does not fit. @internal */
export function tryWrap(target: object, rule: Rule, replace?: ReplaceModule): Undo | undefined {
  if (!RULE_KINDS.includes(rule.kind)) {
    throw new ClewError('ERR_RULE', `Expected \`kind\` to be one of ${RULE_KINDS.join(', ')}.`);
  }
  const { module = 'custom' } = rule;
  const methods = rule.method === undefined ? [] : [rule.method].flat();
  const state: RuleState = {
    type: rule.type ?? [module, methods[0] ?? memberOf(rule.on)].filter(Boolean).join('.'),
    label: `${rule.kind}:${module}`,
    rule: JSON.stringify({ ...rule, on: undefined }),
    linksEmitter: rule.kind === 'emitter' || rule.emits === true,
    active: true,
  };
  declareType(state.type, rule.kind === 'emitter' ? 'binding' : 'operation');
  const undo = apply(target, rule, methods, state, replace);
  return undo && once(undo, state);
}

/** The last name of a path. */
const memberOf = (path: string | undefined): string | undefined =>
  path
    ?.split(/[#.]/)
    .findLast((name) => name !== '')
    ?.replace('()', '');

function once(undo: Undo, state: RuleState): Undo {
  return () => {
    if (!state.active) return;
    state.active = false;
    undo();
  };
}

function apply(
  target: object,
  rule: Rule,
  methods: string[],
  state: RuleState,
  replace: ReplaceModule | undefined,
): Undo | undefined {
  if (rule.on === undefined) return wrapObject(target, rule, methods, state);
  const path = parsePath(rule.on);
  if (!path) throw new ClewError('ERR_RULE', `Expected \`on\` to be a path, got \`${rule.on}\`.`);
  const { value, place } = findMember(target, path.names);
  if (!isObject(value)) return undefined;
  if (path.end === 'prototype') {
    const { prototype } = value as { prototype?: unknown };
    return isObject(prototype) ? wrapObject(prototype, rule, methods, state) : undefined;
  }
  if (path.end === 'member' && methods.length > 0) return wrapObject(value, rule, methods, state);
  if (path.end === 'member' && rule.kind === 'emitter') return wrapEmitter(value, rule, state);
  const results = new ResultUndos();
  const make = (original: AnyFunction): AnyFunction =>
    path.end === 'result'
      ? wrapResults(original, rule, methods, state, results)
      : wrapFunction(original, rule, state);
  const undo = replaceAt(place, value, make, replace);
  return (
    undo &&
    (() => {
      undo();
      results.undo();
    })
  );
}

function replaceAt(
  place: Place | undefined,
  value: object,
  make: (original: AnyFunction) => AnyFunction,
  replace: ReplaceModule | undefined,
): Undo | undefined {
  if (place) return replaceFunction(place, make);
  if (!replace || typeof value !== 'function') return undefined;
  replace(proxyOf(value as AnyFunction, make(value as AnyFunction)));
  // The loader has handed the proxy out; without its rule it is a plain call of the original.
  return () => undefined;
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/**
 * A rule for methods of an object that is there. An object that is reached by two ways (a class that
 * is required and imported) is wrapped once.
 */
function wrapObject(
  target: object,
  rule: Rule,
  methods: string[],
  state: RuleState,
): Undo | undefined {
  const release = reservePatch(target, state.rule);
  if (!release) return () => undefined;
  const undo = wrapMethods(target, rule, methods, state);
  if (!undo) release();
  return (
    undo &&
    (() => {
      undo();
      release();
    })
  );
}

function wrapMethods(
  target: object,
  rule: Rule,
  methods: string[],
  state: RuleState,
): Undo | undefined {
  if (rule.kind === 'emitter') {
    const names = methods.length > 0 ? methods : ['on', 'addEventListener'];
    return names.some((name) => name in target) ? wrapEmitter(target, rule, state) : undefined;
  }
  if (rule.kind === 'config') return configure(target, rule, methods);
  const table = target as Record<string, AnyFunction>;
  const has = (method: string): boolean => typeof table[method] === 'function';
  if (rule.kind === 'task') {
    return [...methods, ...[rule.enter ?? []].flat()].some(has)
      ? wrapTask(target, rule, state)
      : undefined;
  }
  const present = methods.filter(has);
  if (present.length === 0) return undefined;
  const undos = present.map((method) =>
    rule.kind === 'root'
      ? patchOnce(table, method, 'root', (original) => wrapFunction(original, rule, state))
      : patchMethod(table, method, (original) => wrapFunction(original, rule, state)),
  );
  return undos.every((undo) => undo === undefined) ? undefined : undoAll(undos);
}

function wrapFunction(original: AnyFunction, rule: Rule, state: RuleState): AnyFunction {
  switch (rule.kind) {
    case 'args':
      return wrapArgs(original, rule, state);
    case 'handler':
      return wrapHandler(original, rule, state);
    case 'root':
      return wrapRoot(original, rule, state);
    case 'latest':
      return wrapLatest(original, state);
    case 'iterator':
      return wrapIterator(original, rule, state);
    default:
      throw new ClewError('ERR_RULE', `A \`${rule.kind}\` rule needs an object with methods.`);
  }
}

/** A rule for what a factory returns: its methods, or the function that it is. */
function wrapResults(
  original: AnyFunction,
  rule: Rule,
  methods: string[],
  state: RuleState,
  results: ResultUndos,
): AnyFunction {
  if (rule.kind === 'task') {
    return wrapTaskFactory(original, rule, state, (queue, undo) => results.add(queue, undo));
  }
  return function (this: unknown, ...args: unknown[]): unknown {
    const result = Reflect.apply(original, this, args);
    if (!state.active || !isObject(result)) return result;
    if (methods.length === 0 && rule.kind !== 'emitter') {
      return typeof result === 'function'
        ? proxyOf(result as AnyFunction, wrapFunction(result as AnyFunction, rule, state))
        : result;
    }
    const undo = wrapObject(result, rule, methods, state);
    if (undo) results.add(result, undo);
    return result;
  };
}

function configure(target: object, rule: ConfigRule, methods: string[]): Undo | undefined {
  const [method = ''] = methods;
  const fn = (target as Record<string, unknown>)[method];
  if (typeof fn !== 'function') return undefined;
  Reflect.apply(fn, target, [...rule.arguments]);
  return () => {
    if (rule.undoArguments) Reflect.apply(fn, target, [...rule.undoArguments]);
  };
}

/**
 * The undos of what a factory made, as long as it lives: each undo hangs on its object, and the
 * list knows the objects weakly.
 */
class ResultUndos {
  readonly #undos = new WeakMap<object, Undo>();
  readonly #results = new Set<WeakRef<object>>();
  readonly #gone = new FinalizationRegistry<WeakRef<object>>((ref) => this.#results.delete(ref));

  add(result: object, undo: Undo): void {
    const ref = new WeakRef(result);
    this.#undos.set(result, undo);
    this.#results.add(ref);
    this.#gone.register(result, ref);
  }

  undo(): void {
    for (const ref of this.#results) {
      const result = ref.deref();
      if (result) this.#undos.get(result)?.();
    }
    this.#results.clear();
  }
}
