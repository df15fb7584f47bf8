import { createRequire } from 'node:module';

import { patchMethod } from '../base/patch.ts';

/**
 * Calls `found` as soon as this thread has loaded a native add-on: now, or when the first one comes.
 * Returns the undo. Until then `process.dlopen`, through which every add-on comes, is replaced.
 */
export function onAddOnLoaded(found: () => void): () => void {
  const { cache } = createRequire(import.meta.url);
  if (Object.keys(cache).some((file) => file.endsWith('.node'))) {
    found();
    return () => undefined;
  }
  const undo = patchMethod(process, 'dlopen', (original) => {
    return function dlopen(...args) {
      Reflect.apply(original, this, args);
      if (!isWaiting) return;
      stop();
      found();
    };
  });
  let isWaiting = true;
  const stop = (): void => {
    isWaiting = false;
    undo?.();
  };
  return stop;
}
