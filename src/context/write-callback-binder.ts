import { onWrites } from '../patch/write-methods.ts';
import type { AnyFunction, ContextStore } from './context-store.ts';
import type { Context } from '@opentelemetry/api';

/**
 * Has the callbacks of queued writes run in the context of the code that handed them over, also
 * where another write is what completes them. From `start` to `stop`.
 *
 * `#bound` is what was made last, of `#callback` in `#context`; all three go when it is called. A
 * callback that is passed again and again, as that of a console, is the same function for Node in
 * each write then, and Node runs them all in one tick.
 */
export class WriteCallbackBinder {
  readonly #store: ContextStore;
  #undo: (() => void) | undefined;
  #bound: AnyFunction | undefined;
  #callback: AnyFunction | undefined;
  #context: Context | undefined;

  constructor(store: ContextStore) {
    this.#store = store;
  }

  start(): void {
    this.#undo ??= onWrites({ bindCallback: (callback) => this.#bind(callback) });
  }

  stop(): void {
    this.#undo?.();
    this.#undo = undefined;
    this.#forget();
  }

  #bind(callback: AnyFunction): AnyFunction {
    const store = this.#store;
    const context = store.active();
    if (context === undefined) return callback;
    if (this.#bound !== undefined && context === this.#context) {
      if (callback === this.#callback) return this.#bound;
      // One message writes another: an HTTP message its socket, a stream of zlib itself.
      if (callback === this.#bound) return callback;
    }
    const forget = (called: AnyFunction): void => {
      if (called === this.#bound) this.#forget();
    };
    const bound = function (this: unknown, a?: unknown, b?: unknown): unknown {
      forget(bound);
      // oxlint-disable-next-line prefer-rest-params
      const all = arguments;
      const count = all.length;
      if (count > 2) return store.run(context, callback, this, count, a, b, all);
      return store.run(context, callback, this, count, a, b);
    };
    this.#bound = bound;
    this.#callback = callback;
    this.#context = context;
    return bound;
  }

  #forget(): void {
    this.#bound = undefined;
    this.#callback = undefined;
    this.#context = undefined;
  }
}
