import { executionAsyncId } from 'node:async_hooks';

import { GuardedHook } from './guarded-hook.ts';

/**
 * Calls `reset` each time an exception escaped a callback and the process goes on, when its
 * handlers have run and before the next callback. Returns the undo.
 *
 * Where Node propagates by frames, an exception that escapes a `process.nextTick` callback leaves
 * the frame of that callback behind, and everything that Node then creates by itself, such as each
 * connection a server accepts, begins in it. It is put right by an `after` hook that lives from the
 * exception to the end of its handlers: Node emits `after` for the callback that failed at exactly
 * the place where the frame is left behind. The handlers still see the frame of the callback.
 */
export function afterEscapedException(reset: () => void): () => void {
  let escaped = 0;
  const hook = new GuardedHook({
    name: 'escaped-exception',
    trackPromises: false,
    callbacks: {
      after: (asyncId) => {
        if (asyncId !== escaped) return;
        hook.disable();
        reset();
      },
    },
  });
  const onException = (): void => {
    escaped = executionAsyncId();
    // In execution 0 there is no callback that `after` could follow.
    if (escaped !== 0) hook.enable();
  };
  process.on('uncaughtExceptionMonitor', onException);
  return () => {
    process.off('uncaughtExceptionMonitor', onException);
    hook.disable();
  };
}
