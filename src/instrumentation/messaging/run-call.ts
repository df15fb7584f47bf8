import type { MessageRecording } from './message-recording.ts';
import { settling } from './run-handler.ts';

/**
 * Makes a call of a library that returns a promise, with the recording's span active, and ends the
 * recording when it settles; `onResult` is called before that. What it throws at once, it throws at
 * once.
 */
export function runCall<Result>(
  recording: MessageRecording,
  call: () => Promise<Result>,
  onResult?: (result: Result) => void,
): Promise<Result> {
  let promise: Promise<Result>;
  try {
    promise = recording.run(call, undefined);
  } catch (error) {
    recording.end(error ?? String(error));
    throw error;
  }
  return settling(recording, promise, onResult);
}
