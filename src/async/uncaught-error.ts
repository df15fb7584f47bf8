import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';

/** Node's own, whatever a test of the application puts in its place. */
const { queueMicrotask } = globalThis;

/**
 * Calls `run`; `onUncaught` hears what it throws, where that ends up as an uncaught exception, before
 * the process ends of it and before handlers of `uncaughtException`.
 *
 * It is not caught here: Node prints the line that threw last above the stack of an uncaught
 * exception, and that has to be the application's.
 */
export function watchUncaught<Result>(
  run: () => Result,
  onUncaught: (error: unknown) => void,
): Result {
  let hasReturned = false;
  try {
    const result = run();
    hasReturned = true;
    return result;
  } finally {
    if (!hasReturned) listen(onUncaught);
  }
}

/**
 * Calls `onUncaught` with every exception that nothing catches, before the process ends of it and before
 * handlers of `uncaughtException`, in the context in which it was thrown. Returns the undo.
 */
export function onUncaught(onUncaught: (error: unknown) => void): () => void {
  const listener = guarded(onUncaught);
  process.on('uncaughtExceptionMonitor', listener);
  return () => void process.off('uncaughtExceptionMonitor', listener);
}

function listen(onUncaught: (error: unknown) => void): void {
  const hear = guarded(onUncaught);
  const listener = (error: unknown): void => {
    stop();
    hear(error);
  };
  const stop = (): unknown => process.off('uncaughtExceptionMonitor', listener);
  process.on('uncaughtExceptionMonitor', listener);
  // Once a microtask runs, a caller has caught it.
  queueMicrotask(stop);
}

/** What a listener of this event throws would end the process in place of the exception. */
function guarded(onUncaught: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onUncaught(error);
    } catch (failure) {
      sayOnce('error', 'uncaught', `an exception cannot be recorded: ${messageOf(failure)}`);
    }
  };
}
