import { closeScope, openScope, OperationResource } from './operation-resource.ts';

/**
 * An operation resource whose scope is entered once: inside of it `run` calls its function directly.
 *
 * For the package's own use. The context of an application's resource may have been left by
 * `context.with` in between, so that `run` of the base class always enters.
 */
export class OperationScope extends OperationResource {
  static readonly #ENDS_FOR_SURE = Object.freeze({ requireManualDestroy: true });
  /** The one whose scope is open at the top of the stack. */
  static #current: OperationScope | undefined;

  /**
   * `endsForSure` states that `end` is always called, on errors too, which makes the operation
   * cheaper.
   */
  constructor(type: string, endsForSure = true) {
    super(type, endsForSure ? OperationScope.#ENDS_FOR_SURE : undefined);
  }

  override run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    thisArg: This,
    ...args: Args
  ): Result {
    const outer = OperationScope.#current;
    // Entering a scope costs more than whatever is done in it: once is enough.
    if (outer === this || !openScope()) return fn.apply(thisArg, args);
    OperationScope.#current = this;
    // Not by the method of the base class, which would be one more frame in the stack traces that
    // some clients take for every statement.
    try {
      return this.runInAsyncScope(fn, thisArg, ...args);
    } finally {
      closeScope();
      OperationScope.#current = outer;
    }
  }

  /** Calls `fn` where the context of this operation is active already. */
  runHere<Result>(fn: () => Result): Result {
    const outer = OperationScope.#current;
    OperationScope.#current = this;
    try {
      return fn();
    } finally {
      OperationScope.#current = outer;
    }
  }
}
