/**
 * Carries one value along with asynchronous work: the part of a context manager that differs from
 * runtime to runtime. `undefined` is the value where nobody set one.
 *
 * A store costs nothing until its first value, and after `disable` it is as if it were not there:
 * `run` calls its function and nothing else. It never throws an error of its own.
 */
export abstract class ContextStore<Value> {
  abstract readonly name: StoreName;
  /** Whether values are carried. Where it is false, `ready` has to be asked before any is set. */
  protected carrying = false;
  #disabled = false;

  /** The value of the running code. */
  abstract get(): Value | undefined;

  /**
   * Calls `fn` with `value`, and afterwards gives the running code back the value it had, even if
   * `fn` replaced it or threw. `extra` are the arguments of `fn`, of which there may be none.
   */
  abstract run(
    value: Value | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    extra: ArrayLike<unknown> | undefined,
  ): unknown;

  /** Replaces the value of the running code until it ends; false if the store is disabled. */
  abstract set(value: Value | undefined): boolean;

  enable(): void {
    this.#disabled = false;
  }

  /** Stops carrying and forgets every value, also those that are on their way. */
  disable(): void {
    this.#disabled = true;
    if (!this.carrying) return;
    this.carrying = false;
    this.stop();
  }

  /** Begins to carry unless that is disabled, and returns whether values are carried. */
  protected ready(): boolean {
    if (this.carrying) return true;
    if (this.#disabled) return false;
    this.start();
    this.carrying = true;
    return true;
  }

  protected abstract start(): void;
  protected abstract stop(): void;
}

/**
 * - `hook`: an `init` hook and the value on the execution's async resource.
 * - `frame`: Node's async context frame, set directly.
 * - `storage`: an `AsyncLocalStorage` and nothing but public API.
 */
export type StoreName = 'hook' | 'frame' | 'storage';

// Functions of the application: nothing is known of what they take and return.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;
