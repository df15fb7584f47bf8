import { AsyncLocalStorage, createHook, executionAsyncResource } from 'node:async_hooks';

/*
 * What this Node can do, found by trying it and not by its version number.
 */

/** Whether `AsyncLocalStorage` is based on async context frames, and not on a hook. */
export const hasAsyncContextFrame: boolean = detectAsyncContextFrame();

/** Whether `createHook({ trackPromises: false })` keeps promises away from a hook. */
export const canExcludePromises: boolean = detectPromiseExclusion();

function detectAsyncContextFrame(): boolean {
  // Where a hook carries the store, Node writes it on the execution resource under a symbol.
  const probe = new AsyncLocalStorage<object>();
  const before = Object.getOwnPropertySymbols(executionAsyncResource()).length;
  const onResource = probe.run({}, () => {
    const resource = executionAsyncResource();
    return Object.getOwnPropertySymbols(resource).length > before;
  });
  probe.disable();
  return !onResource;
}

function detectPromiseExclusion(): boolean {
  let seen = false;
  const options = {
    init: (_asyncId: number, type: string): void => {
      if (type === 'PROMISE') seen = true;
    },
    trackPromises: false,
  };
  const hook = createHook(options).enable();
  // One that never settles: a reaction would run later, for the application's own hooks to see.
  void new Promise(() => undefined);
  hook.disable();
  return !seen;
}
