import type { Operation } from './operation.ts';
import type { Recorder } from './recorder/recorder.ts';
import type { PendingOperation } from './pending-operation.ts';

/*
 * Calls that throw before they return: what a client was given could not even be sent. `recorded`
 * holds the errors of those that are recorded, which pass through several methods on their way.
 */
const recorded = new WeakSet<object>();

/** Records that a call threw `error`, unless a method further down did so already. */
export function recordThrown(
  recorder: Recorder,
  describe: (this: void) => Operation,
  error: unknown,
): void {
  if (isThrownRecorded(error) || !recorder.isListening) return;
  try {
    recorder.start(describe())?.end(error);
  } catch {
    // What cannot be sent may be impossible to describe, too.
  }
}

/** Ends `operation`, whose call threw `error`; describes it first where nobody did. */
export function failThrown(
  operation: PendingOperation,
  recorder: Recorder,
  describe: (this: void) => Operation,
  error: unknown,
): void {
  if (operation.isDescribed) isThrownRecorded(error);
  else recordThrown(recorder, describe, error);
  operation.settle(error);
  operation.end();
}

/** Whether `error` was recorded before this question; from now on it is. */
export function isThrownRecorded(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const isKnown = recorded.has(error);
  recorded.add(error);
  return isKnown;
}
