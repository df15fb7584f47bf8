import { bindListener } from '../../bind-listener.ts';
import { callerHere, CallsUnderWay } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { isContextActive } from '../../wrap/active-context.ts';
import { handingOver, instanceOf, type Instance } from './instances.ts';
import type { PostgresSql } from './library-types.ts';

/*
 * Options that are functions. A connection calls them outside of any request's context, since it
 * outlives the query that it was opened for. If `postgres()` was called in a request, they run in
 * the context of that request. Otherwise they run in the context of the call they belong to, if
 * that is certain: the query that is being handed over, or the only one under way. `onclose` runs
 * in the context of the call that ends the instance.
 */
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Options = Record<string, unknown>;
type CallerOf = () => OperationResource | undefined;

const LISTENERS = ['onnotice', 'onnotify', 'onparameter', 'onclose', 'debug'] as const;
const TRANSFORMS = ['column', 'value', 'row'] as const;
const DIRECTIONS = ['from', 'to'] as const;
const PARSERS = ['parse', 'serialize'] as const;
const closing = new CallsUnderWay();

/**
 * The arguments of `postgres()` with their functions bound, and the way to give them the instance.
 */
export interface HeardOptions {
  args: unknown[];
  /** To be called with the result of `postgres()`. */
  belongTo(this: void, sql: PostgresSql): void;
}

export function heardOptions([first, second]: unknown[], ownTypes: object): HeardOptions {
  const isFirst = isObject(first);
  const options: unknown = isFirst ? first : second;
  const nothing = { args: [first, second], belongTo: () => undefined };
  if (!isObject(options)) return nothing;
  let instance: Instance | undefined;
  const around = aroundWith(() => instance && (handingOver() ?? instance.onlyCall()));
  const onClose = aroundWith(() => instance && closing.of(instance));
  const entries: [string, unknown][] = [];
  for (const key of LISTENERS) {
    const wrapped = aroundFunction(options[key], key === 'onclose' ? onClose : around);
    if (wrapped) entries.push([key, wrapped]);
  }
  const aroundAny = (value: unknown): unknown => aroundFunction(value, around);
  const types = shadowOf(options['types'], Object.keys(options['types'] ?? {}), (type) =>
    isObject(type) && !Object.values(ownTypes).includes(type)
      ? shadowOf(type, PARSERS, aroundAny)
      : undefined,
  );
  if (types) entries.push(['types', types]);
  const transform = shadowOf(options['transform'], TRANSFORMS, (part) =>
    typeof part === 'function' ? aroundAny(part) : shadowOf(part, DIRECTIONS, aroundAny),
  );
  if (transform) entries.push(['transform', transform]);
  if (entries.length === 0) return nothing;
  const shadow = overlaid(options, entries);
  return {
    args: isFirst ? [shadow, second] : [first, shadow],
    belongTo: (sql) => {
      instance = instanceOf(sql.unsafe(''));
      instance.isHeard = true;
    },
  };
}

/** Patches the methods that end an instance: its connections are closed for that caller. */
export function patchEnd(sql: PostgresSql): Undo {
  const instance = instanceOf(sql.unsafe(''));
  return undoAll(
    (['end', 'close'] as const).map((key) =>
      patchMethod(sql, key, (original) => {
        return function ending(this: unknown, ...args: unknown[]) {
          closing.beginFor(instance, callerHere());
          return Reflect.apply(original, this, args) as never;
        };
      }),
    ),
  );
}

/** Returns a runner that calls a function in its proper context, chosen by the current context. */
function aroundWith(callerOf: CallerOf): (fn: AnyFunction) => AnyFunction {
  if (isContextActive()) return (fn) => bindListener('POSTGRES_LISTENER', fn);
  return (fn) =>
    function heard(this: unknown, ...args: unknown[]): unknown {
      const caller = callerOf();
      return caller ? caller.run(fn, this, ...args) : Reflect.apply(fn, this, args);
    };
}

/** Returns the same function, with any properties that the user added. */
function aroundFunction(
  value: unknown,
  around: (fn: AnyFunction) => AnyFunction,
): AnyFunction | undefined {
  if (typeof value !== 'function') return undefined;
  return Object.setPrototypeOf(around(value as AnyFunction), value) as AnyFunction;
}

/**
 * Returns an object that inherits from `value`, which is not changed, with the entries that
 * `change` replaced; or undefined if it replaced none.
 */
function shadowOf(
  value: unknown,
  keys: readonly string[],
  change: (entry: unknown) => unknown,
): object | undefined {
  if (!isObject(value)) return undefined;
  const changed = keys.map((key): [string, unknown] => [key, change(value[key])]);
  if (changed.every(([, entry]) => entry === undefined)) return undefined;
  // Unchanged entries too, since the client lists the names of types.
  return overlaid(
    value,
    changed.map(([key, entry]) => [key, entry ?? value[key]]),
  );
}

function overlaid(value: Options, entries: [string, unknown][]): object {
  const overlay: PropertyDescriptorMap = {};
  for (const [key, entry] of entries) {
    overlay[key] = { value: entry, enumerable: true, writable: true };
  }
  return Object.create(value, overlay) as object;
}

function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null;
}
