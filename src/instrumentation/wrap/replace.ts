import type { Undo } from '../../base/patch.ts';
import type { Place } from './path.ts';
import type { AnyFunction } from './repair-unit.ts';

/**
 * Replaces the function at `place` by a proxy of it whose calls go to `make(original)`: name,
 * length, own properties, prototype and `new` stay those of the original.
 *
 * The same function under the same name on the container's `default`, or under `default` and
 * `module.exports` of a namespace, is the same thing for whoever imports it, and is replaced too.
 */
export function replaceFunction(
  place: Place,
  make: (original: AnyFunction) => AnyFunction,
): Undo | undefined {
  const original = read(place);
  if (typeof original !== 'function') return undefined;
  const proxy = proxyOf(original as AnyFunction, make(original as AnyFunction));
  const places = [place, ...aliases(place, original)].filter((each) => write(each, proxy));
  if (places.length === 0) return undefined;
  return () => {
    for (const each of places) if (read(each) === proxy) write(each, original);
  };
}

/** A proxy of `original` whose plain calls go to `wrapped`. */
export function proxyOf(original: AnyFunction, wrapped: AnyFunction): AnyFunction {
  return new Proxy(original, {
    apply: (_fn, thisArg, args: unknown[]) => Reflect.apply(wrapped, thisArg, args),
  });
}

const read = ({ container, key }: Place): unknown => (container as Record<string, unknown>)[key];

function write({ container, key }: Place, value: unknown): boolean {
  const own = Object.getOwnPropertyDescriptor(container, key);
  if (own?.configurable) {
    const { enumerable = false } = own;
    // A namespace that a loader hook made settable takes assignments only.
    if (own.writable && Reflect.set(container, key, value)) return true;
    return Reflect.defineProperty(container, key, {
      value,
      enumerable,
      configurable: true,
      writable: true,
    });
  }
  try {
    return Reflect.set(container, key, value) && read({ container, key }) === value;
  } catch {
    return false;
  }
}

function aliases({ container, key }: Place, original: unknown): Place[] {
  const candidates: Place[] = [];
  const { default: inner } = container as { default?: unknown };
  if (inner !== null && (typeof inner === 'object' || typeof inner === 'function')) {
    candidates.push({ container: inner, key });
  }
  if (key === 'default') candidates.push({ container, key: 'module.exports' });
  return candidates.filter((each) => each.key in each.container && read(each) === original);
}
