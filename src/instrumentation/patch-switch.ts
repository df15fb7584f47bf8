import { patchMethod, undoAll, type Undo } from './patch.ts';

export interface PatchSwitch {
  /** From now on the method is called as if the instrumentation had not replaced it. */
  turnOff(): void;
  undo: Undo;
}

interface Shimmed {
  __original?: unknown;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Makes a method that an instrumentation of OpenTelemetry has just replaced one that can be switched
 * back to the original, also when another instrumentation has replaced it above. That one's own
 * `disable` cannot do this: it would take out whichever patch is on top.
 */
export function switchOver(target: object, key: string): PatchSwitch | undefined {
  const table = target as Record<string, Method>;
  const { __original: bare } = (table[key] ?? {}) as Shimmed;
  if (typeof bare !== 'function') return undefined;
  let isOff = false;
  const undo = patchMethod(table, key, (patched) => {
    return function (this: unknown, ...args: unknown[]) {
      return (isOff ? (bare as Method) : patched).apply(this, args);
    };
  });
  return undo && { turnOff: () => void (isOff = true), undo: undoAll([undo]) };
}
