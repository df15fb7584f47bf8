/*
 * What holds while a call is on the stack.
 *
 * A library calls itself: a pool's `query` calls `connect`, `execute` makes a statement. The patches
 * of both methods share a `CallScope`, as the library passes nothing from one to the other that a
 * value could be attached to. A value is set on entry, is there for as long as that call is
 * on the stack, and is replaced by the outer call's value when it returns or throws.
 */

/**
 * A value for the duration of a call.
 *
 *     const outer = calling.enter(operation);
 *     try {
 *       return original.apply(this, args);
 *     } finally {
 *       calling.leave(outer);
 *     }
 *
 * `enter` and `leave` call no function in between: some libraries take a stack trace for each
 * statement, and every frame of ours in it costs more than the rest of a patch. Where that does not
 * matter, `run` does both.
 */
export class CallScope<Value> {
  #current: Value | undefined;

  /** The value of the innermost call on the stack; `undefined` where there is none, or it was taken. */
  get current(): Value | undefined {
    return this.#current;
  }

  /** Sets the value for the call that comes. Returns what to give to `leave`. */
  enter(value: Value | undefined): Value | undefined {
    const outer = this.#current;
    this.#current = value;
    return outer;
  }

  /** Restores the value of the outer call, which is what `enter` returned. */
  leave(outer: Value | undefined): void {
    this.#current = outer;
  }

  /** Returns the value and clears it: only the first caller gets it. */
  take(): Value | undefined {
    const value = this.#current;
    this.#current = undefined;
    return value;
  }

  /** Calls `fn` with the value set to `value`, and returns what it returns. */
  run<Result>(value: Value | undefined, fn: () => Result): Result {
    const outer = this.enter(value);
    try {
      return fn();
    } finally {
      this.#current = outer;
    }
  }
}
