/** Undoes what the call that returned it did. Calling it again does nothing. */
export type Undo = () => void;

/**
 * A patch: `method` of `target` replaced by what `wrap` makes of it.
 *
 * The property keeps its attributes, so what was not enumerable stays so; a method that was
 * inherited is shadowed and the shadow is deleted again. When somebody patched over us in the
 * meantime the undo leaves their patch in place and turns ours into a plain call of the original.
 * A target that cannot be patched (frozen, no such method) is left alone.
 */
export function patchMethod<Target extends object, Key extends keyof Target & (string | symbol)>(
  target: Target,
  key: Key,
  wrap: (original: Target[Key]) => Target[Key],
): Undo | undefined {
  const original = target[key];
  if (typeof original !== 'function') return undefined;
  const own = Object.getOwnPropertyDescriptor(target, key);
  if (own ? !own.configurable || own.get !== undefined : !Object.isExtensible(target)) {
    return undefined;
  }
  const wrapped = wrap(original) as Target[Key] & object;
  let active: object = wrapped;
  const dispatch = forward(original, () => active as (...args: unknown[]) => unknown);
  Object.defineProperty(target, key, {
    value: dispatch,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    active = original;
    if (target[key] !== (dispatch as unknown)) return;
    if (own) Object.defineProperty(target, key, own);
    else delete target[key];
  };
}

/** A function with the looks of `original` (name, length, own properties, `new`). */
function forward(
  original: object,
  current: () => (...args: unknown[]) => unknown,
): (...args: unknown[]) => unknown {
  const dispatch = function (this: unknown, ...args: unknown[]): unknown {
    return new.target
      ? (Reflect.construct(current(), args, new.target as unknown as () => void) as unknown)
      : Reflect.apply(current(), this, args);
  };
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
