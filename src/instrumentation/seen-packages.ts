import type { Undo } from '../base/patch.ts';

/*
 * Tells which packages are loaded, by `require` and by `import`, to who asks about some of them.
 * `listeners` is written by `onPackage` and read for each package that the hooks see.
 */

const listeners = new Map<string, Set<(name: string) => void>>();

/** Calls `listener` with the name of a package of `names` whenever a module of it is loaded. */
export function onPackage(names: Iterable<string>, listener: (name: string) => void): Undo {
  const asked = [...names];
  for (const name of asked) {
    const group = listeners.get(name) ?? new Set();
    listeners.set(name, group.add(listener));
  }
  return () => {
    for (const name of asked) {
      const group = listeners.get(name);
      group?.delete(listener);
      if (group?.size === 0) listeners.delete(name);
    }
  };
}

/** To be called by the hooks. A package may be seen many times. */
export function seePackage(name: string): void {
  for (const listener of listeners.get(name) ?? []) listener(name);
}
