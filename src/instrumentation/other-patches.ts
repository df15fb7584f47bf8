import type { ModuleExports } from './module-hooks.ts';

/*
 * Recognises what an instrumentation of OpenTelemetry's own packages has replaced: its functions name
 * the one they stand for as `__original` and are marked `__wrapped`.
 */

interface Wrapped {
  __wrapped?: unknown;
  __original?: unknown;
}

/** Whether a function among `exports`, or a method of a class among them, was replaced by another tool. */
export function isPatchedElsewhere(exports: ModuleExports): boolean {
  try {
    const whole: ModuleExports = exports?.default ?? exports;
    return ([exports, whole, ...valuesOf(exports), ...valuesOf(whole)] as ModuleExports[]).some(
      (value) => isWrapped(value) || valuesOf(value?.prototype).some(isWrapped),
    );
  } catch {
    // A module may be a proxy that refuses to be looked at.
    return false;
  }
}

function isWrapped(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  const { __wrapped: mark, __original: original } = value as Wrapped;
  return mark === true && typeof original === 'function';
}

/** What an object holds itself, without calling a getter. */
function valuesOf(holder: unknown): unknown[] {
  if ((typeof holder !== 'object' && typeof holder !== 'function') || holder === null) return [];
  return Object.values(Object.getOwnPropertyDescriptors(holder)).map(
    ({ value }) => value as unknown,
  );
}
