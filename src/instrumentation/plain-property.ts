/** A property of an object of the user's, as far as it can be read without running the user's code. */
export function plainProperty(target: unknown, key: string): unknown {
  if (typeof target !== 'object' || target === null) return undefined;
  return Object.getOwnPropertyDescriptor(target, key)?.value;
}
