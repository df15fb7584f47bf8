import { types } from 'node:util';

import { guard } from './guard.ts';
import type { MessageRecording } from './message-recording.ts';

/** Says of what a handler failed with whether it is a failure: the error itself, or undefined. */
export type FailureOf = (error: unknown) => unknown;

/**
 * Calls a handler whose result the library waits for, with its span active, and ends the span when it is
 * done. Returns what the handler returns. A thenable that is no promise does its work when it is waited
 * for, so a promise with its outcome stands in for it.
 */
export function runHandler<Result>(
  recording: MessageRecording,
  handler: () => Result,
  failureOf: FailureOf = asIs,
): Result {
  let result: Result;
  try {
    result = recording.run(handler, undefined);
  } catch (error) {
    recording.end(failureOf(error));
    throw error;
  }
  if (types.isPromise(result)) {
    // The library waits for it as well, so no rejection is hidden.
    void Promise.prototype.then.call(
      result,
      (value: unknown) => recording.end(undefined, value),
      (error: unknown) => recording.end(failureOf(error)),
    );
    return result;
  }
  if (isThenable(result)) return settling(recording, result, undefined, failureOf) as Result;
  recording.end(undefined, result);
  return result;
}

/**
 * The same outcome as that of `promise`, with which the recording ends; `onResult` is called before
 * that. A rejection that the application does not handle stays unhandled.
 */
export async function settling<Result>(
  recording: MessageRecording,
  promise: PromiseLike<Result>,
  onResult?: (result: Result) => void,
  failureOf: FailureOf = asIs,
): Promise<Result> {
  let result: Result;
  try {
    result = await promise;
  } catch (error) {
    recording.end(failureOf(error));
    throw error;
  }
  guard('read a result', () => onResult?.(result));
  recording.end(undefined, result);
  return result;
}

/** What fails without an error is a failure all the same. */
const asIs: FailureOf = (error) => error ?? String(error);

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
  );
}
