import { EventEmitter } from 'node:events';

import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

import { Attachment, AttachmentToken, undisposed, type Slot } from './attachment.ts';
import { bindEmitter } from './bind-emitter.ts';
import { bindFunction } from './bind-function.ts';
import { chooseStore } from './choose-store.ts';
import type { AnyFunction, ContextStore, StoreName } from './context-store.ts';

/** Undoes one `attach`. */
export interface ContextToken {
  /** Restores the context that was active before. Calling it again does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

export interface AsyncHooksContextManagerOptions {
  /** Which store to use, instead of the best one this Node has. */
  store?: StoreName;
}

/**
 * Carries the active context along with asynchronous work: the `ContextManager` of
 * `@opentelemetry/api`.
 *
 * It is enabled by `enable`, or else by its first use. After `disable` it is as if there were no
 * context manager: `with` calls its function and nothing else, and contexts from before never come
 * back.
 */
export class AsyncHooksContextManager implements ContextManager {
  readonly #store: ContextStore<Slot>;

  constructor(options: AsyncHooksContextManagerOptions = {}) {
    this.#store = chooseStore(options.store);
  }

  /** The store in use. */
  get store(): StoreName {
    return this.#store.name;
  }

  active(): Context {
    const slot = this.#store.get();
    if (slot === undefined) return ROOT_CONTEXT;
    return slot instanceof Attachment ? slot.context : slot;
  }

  with<Args extends unknown[], Fn extends (...args: Args) => ReturnType<Fn>>(
    context: Context,
    fn: Fn,
    thisArg?: ThisParameterType<Fn>,
    ...args: Args
  ): ReturnType<Fn>;
  with(context: Context, fn: AnyFunction, thisArg?: unknown): unknown {
    let extra: unknown[] | undefined;
    if (arguments.length > 3) {
      // oxlint-disable-next-line prefer-rest-params
      extra = Array.prototype.slice.call(arguments, 3) as unknown[];
    }
    return this.#store.run(context, fn, thisArg, extra);
  }

  bind<Target>(context: Context, target: Target): Target {
    if (typeof target === 'function') {
      return bindFunction(this.#store, context as Slot, target as unknown as AnyFunction) as Target;
    }
    if (target instanceof EventEmitter) bindEmitter(this.#store, context as Slot, target);
    return target;
  }

  /**
   * Makes `context` active for the rest of the running code and what it requests, until the token
   * is disposed of. Prefer `with`.
   */
  attach(context: Context): ContextToken {
    const store = this.#store;
    const attachment = new Attachment(context);
    const previous = undisposed(store.get());
    // Disabled: there is nothing to undo.
    attachment.disposed = !store.set(attachment);
    return new AttachmentToken(store, attachment, previous);
  }

  enable(): this {
    this.#store.enable();
    return this;
  }

  disable(): this {
    this.#store.disable();
    return this;
  }
}
