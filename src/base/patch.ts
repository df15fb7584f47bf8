/** Undoes what the call that returned it did. Calling it again does nothing. */
export type Undo = () => void;

/** A method of `Target`, with its `this`; of a table of functions, one as the table has it. */
export type MethodOf<Target, Key extends keyof Target> = string extends keyof Target
  ? NonNullable<Target[Key]>
  : NonNullable<Target[Key]> extends (...args: infer Args) => infer Result
    ? (this: Target, ...args: Args) => Result
    : never;

/**
 * A patch: `method` of `target` replaced by what `wrap` makes of it.
 *
 * The property keeps its attributes, so what was not enumerable stays so; a method that was
 * inherited is shadowed and the shadow is deleted again. The shadow of a prototype is as enumerable as
 * what it hides: a `for-in` loop over an instance finds what it found before. When another patch was put over ours in the
 * meantime the undo leaves their patch in place and turns ours into a plain call of the original.
 * A target that cannot be patched (frozen, no such method) is left alone.
 */
export function patchMethod<Target extends object, Key extends keyof Target & (string | symbol)>(
  target: Target,
  key: Key,
  wrap: (original: MethodOf<Target, Key>) => MethodOf<Target, Key>,
): Undo | undefined {
  const found = patchable(target, key);
  if (found === undefined) return undefined;
  const { original, unwrap, below } = removable(found);
  let active = wrap(original) as Callable;
  const dispatch = withLooksOf(original, function (this: unknown, ...args: unknown[]): unknown {
    return new.target
      ? (Reflect.construct(active, args, new.target) as unknown)
      : active.apply(this, args);
  });
  offerUnwrap(dispatch, unwrap);
  const restore = place(target, key, dispatch, below);
  return () => {
    active = original as Callable;
    restore();
  };
}

/** Whether a patch still holds. */
export interface PatchState {
  readonly isUndone: boolean;
}

/**
 * `patchMethod` for methods that are called for every operation. No further function stands between
 * the caller and the wrapper that `wrap` returns, since the engine could not inline it and it would
 * cost more than most wrappers. So once `patch.isUndone`, the wrapper itself has to be a plain
 * call.
 */
export function patchHotMethod<Target extends object, Key extends keyof Target & (string | symbol)>(
  target: Target,
  key: Key,
  wrap: (original: MethodOf<Target, Key>, patch: PatchState) => MethodOf<Target, Key>,
): Undo | undefined {
  const found = patchable(target, key);
  if (found === undefined) return undefined;
  const { original, unwrap, below } = removable(found);
  const patch = { isUndone: false };
  const replacement = withLooksOf(original, wrap(original, patch) as Callable);
  offerUnwrap(replacement, unwrap);
  const restore = place(target, key, replacement, below);
  return () => {
    patch.isUndone = true;
    restore();
  };
}

function patchable<Target extends object, Key extends keyof Target & (string | symbol)>(
  target: Target,
  key: Key,
): MethodOf<Target, Key> | undefined {
  const own = Object.getOwnPropertyDescriptor(target, key);
  // A getter of a prototype may throw.
  const canBe = own ? own.configurable && own.get === undefined : Object.isExtensible(target);
  if (!canBe) return undefined;
  const original = target[key] as MethodOf<Target, Key>;
  return typeof original === 'function' ? original : undefined;
}

/** What the instrumentations of OpenTelemetry leave on a function that they put in a method's place. */
interface Shimmed {
  __wrapped?: unknown;
  __original?: unknown;
}

interface Removable<Method> {
  original: Method;
  unwrap: Undo | undefined;
  /** The function to put back once our patch is undone. */
  below: () => unknown;
}

/**
 * The method as a patch is to call it. Where an instrumentation of OpenTelemetry has replaced it
 * before, that one can be taken out from below by `unwrap`: it does so when it meets a method that
 * it has patched already (a class that it reaches by two modules), and would patch it twice otherwise.
 */
function removable<Method>(found: Method): Removable<Method> {
  const { __wrapped: mark, __original: bare } = found as Shimmed;
  if (mark !== true || typeof bare !== 'function') {
    return { original: found, unwrap: undefined, below: () => found };
  }
  let current = found as Callable;
  const original = withLooksOf(current, function (this: unknown, ...args: unknown[]): unknown {
    return new.target
      ? (Reflect.construct(current, args, new.target) as unknown)
      : current.apply(this, args);
  });
  return {
    original: original as Method,
    unwrap: () => void (current = bare as Callable),
    below: () => current,
  };
}

function offerUnwrap(replacement: Callable, unwrap: Undo | undefined): void {
  if (unwrap === undefined) return;
  const attributes = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(replacement, '__unwrap', { ...attributes, value: unwrap });
}

/** Puts `replacement` where a method is; the undo restores it unless another replacement came later. */
function place<Target extends object>(
  target: Target,
  key: keyof Target,
  replacement: Callable,
  below: () => unknown,
): Undo {
  const own = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, {
    value: replacement,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? (isPrototype(target) && isEnumerable(target, key)),
  });
  return () => {
    if (target[key] !== (replacement as unknown)) return;
    if (own) Object.defineProperty(target, key, { ...own, value: below() });
    else delete target[key];
  };
}

function isPrototype(target: object): boolean {
  const own = Object.getOwnPropertyDescriptor(target, 'constructor');
  return (own?.value as { prototype?: unknown } | undefined)?.prototype === target;
}

/** Whether a `for-in` loop, as a mixin has one, meets the method. */
function isEnumerable(target: object, key: PropertyKey): boolean {
  for (
    let at: object | null = target;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const found = Object.getOwnPropertyDescriptor(at, key);
    if (found) return found.enumerable ?? false;
  }
  return false;
}

/** The replacement of a function, and the state that controls it; known to both. */
interface Replaced {
  replacement: unknown;
  original: Callable;
  active: Callable;
}
const replaced = new WeakMap<object, Replaced>();

/**
 * A patch for a function that is not a property: a function with its looks that calls what `wrap`
 * makes of it, and after the undo the original. Loaders remember what they were given once, so a
 * function that was replaced before, or its replacement, gets the same one again.
 */
export function replaceFunction<Args extends unknown[], Result>(
  target: (...args: Args) => Result,
  wrap: (original: (...args: Args) => Result) => (...args: Args) => Result,
): { replacement: (...args: Args) => Result; undo: Undo } {
  const entry = replaced.get(target) ?? newReplacement(target as Callable);
  const wrapped = wrap(entry.original as typeof target) as Callable;
  entry.active = wrapped;
  return {
    replacement: entry.replacement as typeof target,
    undo: () => {
      if (entry.active === wrapped) entry.active = entry.original;
    },
  };
}

function newReplacement(original: Callable): Replaced {
  const entry: Replaced = { replacement: undefined, original, active: original };
  const replacement = withLooksOf(original, function (this: unknown, ...args) {
    return entry.active.apply(this, args);
  });
  entry.replacement = replacement;
  replaced.set(original, entry).set(replacement, entry);
  return entry;
}

type Callable = (...args: unknown[]) => unknown;

/** Gives `dispatch` the name, the length and the properties of `original`, and those that it inherits. */
function withLooksOf(original: object, dispatch: Callable): Callable {
  const inherited = Object.getPrototypeOf(original) as object | null;
  if (inherited !== Function.prototype) Object.setPrototypeOf(dispatch, inherited);
  for (const key of Reflect.ownKeys(original)) {
    const descriptor = Object.getOwnPropertyDescriptor(original, key);
    if (descriptor === undefined) continue;
    try {
      Object.defineProperty(dispatch, key, descriptor);
    } catch {
      // `prototype` of a plain function is not configurable; its value can still be set.
      if (key === 'prototype') dispatch.prototype = descriptor.value as object;
    }
  }
  return dispatch;
}

const claimed = new WeakMap<object, Set<string>>();

/**
 * Reserves an `aspect` of `target` for one patch: a class reached by two ways, or by two
 * instrumentations, is patched once. Returns what gives it back, or `undefined` when it is taken.
 */
export function reservePatch(target: object, aspect: string): Undo | undefined {
  const aspects = claimed.get(target) ?? new Set();
  if (aspects.has(aspect)) return undefined;
  claimed.set(target, aspects.add(aspect));
  return () => void aspects.delete(aspect);
}

/**
 * `patchMethod` where several may have the same reason to patch a method: the first one does, and for
 * the others it is done. A `purpose` names the reason.
 */
export function patchOnce<Target extends object, Key extends keyof Target & string>(
  target: Target,
  key: Key,
  purpose: string,
  wrap: (original: MethodOf<Target, Key>) => MethodOf<Target, Key>,
): Undo | undefined {
  const release = reservePatch(target, `${purpose} ${key}`);
  if (!release) return () => undefined;
  const undo = patchMethod(target, key, wrap);
  if (!undo) release();
  return undo && undoAll([release, undo]);
}

/** One undo of many, which undoes the last first. */
export function undoAll(undos: readonly (Undo | undefined)[]): Undo {
  return () => {
    for (const undo of undos.toReversed()) undo?.();
  };
}

/** The object in the prototype chain of `prototype`, itself included, that holds `key`. */
export function ownerOf(prototype: unknown, key: PropertyKey): object | undefined {
  for (let owner = prototype; typeof owner === 'object' && owner !== null;) {
    if (Object.hasOwn(owner, key)) return owner;
    owner = Object.getPrototypeOf(owner) as unknown;
  }
  return undefined;
}
