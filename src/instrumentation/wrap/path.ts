/*
 * The path from a target to what is wrapped: `Pool`, `Pool#`, `queue()`, `Kafka#consumer()`,
 * `default`, `a.b`. It ends at a function of some container, or at objects that have methods.
 */

/** A path that was understood. */
export interface Path {
  /** Names from the target down to the container's member. */
  names: string[];
  /** What is meant: the member, its prototype, or what it returns when it is called. */
  end: 'member' | 'prototype' | 'result';
}

const NAME = /^[\w$@-]+$/;

/** Reads a path, or returns undefined where it is none. */
export function parsePath(text: string): Path | undefined {
  const end = text.endsWith('()') ? 'result' : text.endsWith('#') ? 'prototype' : 'member';
  // A method of a class is a member of its prototype.
  const names = text
    .replace(/\(\)$|#$/, '')
    .replace('#', '.prototype.')
    .split('.');
  return names.every((name) => NAME.test(name)) ? { names, end } : undefined;
}

/** A member of an object: the place where something can be replaced. */
export interface Place {
  container: object;
  key: string;
}

/**
 * Follows `names` from `target`. Ways to export the same thing are one way here: `default` is also
 * the target itself where that is a function (the place is then undefined), and what is not on a
 * namespace is looked for on its `default`.
 */
export function findMember(
  target: object,
  names: readonly string[],
): { value: unknown; place: Place | undefined } {
  let value: unknown = target;
  let place: Place | undefined;
  for (const name of names) {
    if (!isObject(value)) return { value: undefined, place: undefined };
    if (name === 'default' && member(value, name) === undefined && typeof value === 'function') {
      continue;
    }
    const container = holderOf(value, name);
    place = { container, key: name };
    value = member(container, name);
  }
  return { value, place };
}

function holderOf(value: object, name: string): object {
  const inner = member(value, 'default');
  if (!isObject(inner)) return value;
  // A namespace of CommonJS that was compiled from a module has its default one step further in.
  if (name === 'default') return typeof inner === 'object' && 'default' in inner ? inner : value;
  return member(value, name) === undefined && name in inner ? inner : value;
}

const member = (value: object, name: string): unknown => (value as Record<string, unknown>)[name];

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
