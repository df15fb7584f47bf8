import { createRequire } from 'node:module';

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
  let isWaiting = true;
  // oxlint-disable-next-line typescript/unbound-method
  const original = process.dlopen;
  const stop = (): void => {
    isWaiting = false;
    // Somebody else's patch on top of ours stays; ours then passes everything on.
    if (process.dlopen === replacement) process.dlopen = original;
  };
  const replacement: typeof process.dlopen = function (this: unknown, ...args) {
    Reflect.apply(original, this, args);
    if (!isWaiting) return;
    stop();
    found();
  };
  process.dlopen = replacement;
  return stop;
}
