import type { Operation } from './operation.ts';
import { closeScope, openScope, OperationResource } from './operation-resource.ts';
import type { Recorder } from './recorder/recorder.ts';
import type { Recording } from './recorder/recording.ts';

/**
 * One call of the user's on its way through a client: the context it came with, and its recording
 * if there is one.
 *
 * `settle` when the result is there and before the user hears of it; `end` after the last event,
 * because a context manager may forget the context then.
 */
export class RunningOperation extends OperationResource {
  static readonly #ENDS_FOR_SURE = Object.freeze({ requireManualDestroy: true });
  /** The one whose scope is open at the top of the stack. */
  static #current: RunningOperation | undefined;
  #recording: Recording | undefined;
  #isDescribed = false;
  #settled = false;

  /** `endsForSure` promises a call of `end` on every way out, which makes the operation cheaper. */
  constructor(type: string, endsForSure = true) {
    super(type, endsForSure ? RunningOperation.#ENDS_FOR_SURE : undefined);
  }

  override run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result {
    const outer = RunningOperation.#current;
    // Entering a scope costs more than whatever is done in it: once is enough.
    if (outer === this || !openScope()) return fn.apply(thisArg, args);
    RunningOperation.#current = this;
    // Not by the method of the base class, which would be one more frame in the stack traces that
    // some clients take for every statement.
    try {
      return this.runInAsyncScope(fn, thisArg, ...args);
    } finally {
      closeScope();
      RunningOperation.#current = outer;
    }
  }

  /** Calls `fn` where the context of this operation is active already. */
  runHere<Result>(fn: () => Result): Result {
    const outer = RunningOperation.#current;
    RunningOperation.#current = this;
    try {
      return fn();
    } finally {
      RunningOperation.#current = outer;
    }
  }

  /** Starts recording `operation`, under the context that is active now. */
  record(recorder: Recorder, operation: Operation): void {
    this.#isDescribed = true;
    this.#recording = recorder.start(operation);
    this.description = this.#recording?.description;
  }

  /** Whether it was given to the recorder, which may have had reasons to record nothing. */
  get isDescribed(): boolean {
    return this.#isDescribed;
  }

  get recording(): Recording | undefined {
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
  const resource = new RunningOperation(type, false);
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
  operation: RunningOperation,
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
