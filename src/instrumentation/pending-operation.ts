import { isCollecting } from '../async/collecting.ts';
import type { Operation } from './operation.ts';
import { OperationScope } from '../carry/operation-scope.ts';
import type { Recorder } from './recorder/recorder.ts';
import type { OperationRecording } from './recorder/operation-recording.ts';

/**
 * One call of the user's on its way through a client: the context it came with, and its recording
 * if there is one.
 *
 * `settle` when the result is there and before the user hears of it; `end` after the last event,
 * because a context manager may forget the context then.
 */
export class PendingOperation extends OperationScope {
  #recording: OperationRecording | undefined;
  #isDescribed = false;
  #settled = false;

  /** Starts recording `operation`, under the context that is active now. */
  record(recorder: Recorder, operation: Operation): void {
    this.#isDescribed = true;
    this.#recording = recorder.start(operation);
    this.description = this.#recording?.description;
    if (isCollecting()) this.#recording?.shows(this.asyncId());
  }

  /** Whether it was given to the recorder, which may have had reasons to record nothing. */
  get isDescribed(): boolean {
    return this.#isDescribed;
  }

  get recording(): OperationRecording | undefined {
    return this.#recording;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Ends the recording, as failed if there is an `error`. Only the first call counts. */
  settle(error?: unknown, result?: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#recording?.end(error, result);
  }

  /** Ends the unit of work. What was not settled by then never will be, and ends as it is. */
  override end(): void {
    this.settle();
    // The library may keep the command, and with it this, for much longer.
    this.#recording = undefined;
    super.end();
  }
}

/** `callback` in the context that is active now. */
export function bindCallback<This, Args extends unknown[], Result>(
  type: string,
  callback: (this: This, ...args: Args) => Result,
): (this: This, ...args: Args) => Result {
  // Whether it is ever called is up to the library.
  const resource = new PendingOperation(type, false);
  return function boundCallback(this: This, ...args: Args): Result {
    try {
      return resource.run(callback, this, ...args);
    } finally {
      resource.end();
    }
  };
}

/** `callback` in the context of `operation`, which it settles and ends. */
export function finishing<This, Result>(
  operation: PendingOperation,
  callback: (this: This, ...args: unknown[]) => Result,
): (this: This, ...args: unknown[]) => Result {
  return function finishingCallback(this: This, ...args: unknown[]): Result {
    operation.settle(args[0] ?? undefined, args[1]);
    try {
      return operation.run(callback, this, ...args);
    } finally {
      operation.end();
    }
  };
}
