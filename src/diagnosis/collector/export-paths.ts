const MAX_PATHS = 6;
const MAX_NAMES = 200;

/**
 * Returns paths to `method` in the exports of a package, in the syntax of repair rules: methods of
 * classes first, then functions of that name, then functions that may create objects with it.
 */
export function pathsTo(exports: unknown, method: string): string[] {
  if (!isObject(exports)) return [];
  const methods: string[] = [];
  const functions: string[] = [];
  const factories: string[] = [];
  // An object exported under several names counts once.
  const seen = new Set<unknown>();
  for (const [name, value] of members(exports)) {
    if (typeof value !== 'function' || seen.has(value)) continue;
    seen.add(value);
    const prototype = valueOf(value, 'prototype');
    if (isObject(prototype) && typeof inherited(prototype, method) === 'function') {
      methods.push(`${name}#${method}`);
    } else if (isClass(value, prototype)) continue;
    else if (name === method) functions.push(name);
    else factories.push(`${name}()#${method}`);
  }
  const direct = isObject(exports) && valueOf(exports, method);
  if (typeof direct === 'function' && !functions.includes(method)) functions.push(method);
  // A function named after the object it creates is likelier than others.
  factories.sort((a, b) => Number(isMaker(b)) - Number(isMaker(a)));
  return [...new Set([...methods, ...functions, ...factories])].slice(0, MAX_PATHS);
}

/** Returns the exports by name; if the module itself is a function, it is the default. */
function* members(exports: object): Generator<[string, unknown]> {
  if (typeof exports === 'function') yield ['default', exports];
  for (const name of Object.getOwnPropertyNames(exports).slice(0, MAX_NAMES)) {
    if (/^[\w$]+$/.test(name) && !['prototype', 'name', 'length', 'default'].includes(name)) {
      yield [name, valueOf(exports, name)];
    }
  }
  const inner = valueOf(exports, 'default');
  if (typeof exports !== 'function' && inner !== undefined) yield ['default', inner];
}

/**
 * Returns the value of a property; of a getter only if it is a re-export, as compilers write them.
 */
function valueOf(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function inherited(prototype: object, method: string): unknown {
  let next: unknown = prototype;
  while (isObject(next) && next !== Object.prototype) {
    const own = Object.getOwnPropertyDescriptor(next, method);
    if (own) return own.value;
    next = Object.getPrototypeOf(next);
  }
  return undefined;
}

/**
 * Recognises a class by its source text, or a constructor by a prototype that has or inherits
 * members.
 */
function isClass(fn: object, prototype: unknown): boolean {
  if (/^class\b/.test(Function.prototype.toString.call(fn as () => void))) return true;
  if (!isObject(prototype)) return false;
  const hasMembers = Object.getOwnPropertyNames(prototype).some((name) => name !== 'constructor');
  return hasMembers || Object.getPrototypeOf(prototype) !== Object.prototype;
}

const isMaker = (path: string): boolean => /^(?:default|create|make|new|init)/i.test(path);
const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
