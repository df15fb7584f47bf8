import type { Context } from '@opentelemetry/api';

import {
  asAttachment,
  Attachment,
  AttachmentToken,
  contextOf,
  emptyToken,
  undisposed,
  type ContextToken,
  type Slot,
} from './attachment.ts';

/**
 * Carries the active context along with asynchronous work: the part of the context manager that
 * differs from runtime to runtime. The slot is `undefined` where no context was activated.
 *
 * A store costs nothing until its first context. After `disable`, `run` only calls its function. It
 * never throws an error of its own.
 */
export abstract class ContextStore {
  abstract readonly name: StoreName;
  /**
   * Whether contexts are carried. While it is false, `ready` has to be called before a context is
   * set.
   */
  protected carrying = false;
  #disabled = false;

  /** The slot of the running code. */
  abstract get(): Slot | undefined;

  /** The context of the running code. */
  active(): Context | undefined {
    return contextOf(this.get());
  }

  /**
   * Calls `fn` with `slot`, and afterwards gives the running code back the slot it had, even if
   * `fn` replaced it or threw. The arguments of `fn` are `a` and `b`, as far as `count` goes, or
   * `all` where there are more.
   */
  abstract run(
    slot: Slot | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    count: number,
    a?: unknown,
    b?: unknown,
    all?: ArrayLike<unknown>,
  ): unknown;

  /** Replaces the slot of the running code, until that ends. */
  abstract enter(slot: Slot | undefined): void;

  /** Makes `context` the running code's until the token is disposed of, or the code ends. */
  attach(context: Context): ContextToken {
    if (!this.carrying && !this.ready()) return emptyToken();
    const attachment = new Attachment();
    attachment.attached = context;
    // What can fail is done when the slot is replaced: an attachment always has its token.
    const token = new AttachmentToken(this, attachment, undisposed(this.get()));
    this.enter(attachment);
    return token;
  }

  /** Ends an attachment that replaced `previous`; for its token. */
  detach(attachment: Attachment, previous: Slot | undefined): void {
    const replacement = undisposed(previous);
    attachment.disposed = true;
    attachment.replacement = replacement;
    // Disposed of elsewhere, or under a later context: the active context there must not be
    // changed. A later token that would restore this attachment finds it disposed.
    if (this.get() === attachment) this.enter(replacement);
  }

  enable(): void {
    this.#disabled = false;
  }

  /** Stops carrying and forgets every context, also those that are on their way. */
  disable(): void {
    this.#disabled = true;
    if (!this.carrying) return;
    this.carrying = false;
    this.stop();
  }

  /** Begins to carry unless that is disabled, and returns whether contexts are carried. */
  protected ready(): boolean {
    if (this.carrying) return true;
    if (this.#disabled) return false;
    this.start();
    this.carrying = true;
    return true;
  }

  /** Completes `run` where the slot it restored is an attachment that `fn` disposed of. */
  protected settle(restored: Slot | undefined): void {
    const attachment = asAttachment(restored);
    if (attachment !== undefined && attachment.disposed && this.get() === attachment) {
      this.enter(attachment.replacement);
    }
  }

  protected abstract start(): void;
  protected abstract stop(): void;
}

/** How a store is to behave, whichever it is. */
export interface StoreSettings {
  /** Whether an accepted connection takes the slot of its server. */
  adoptAccepted: boolean;
}

/** Calls `fn` as `run` of a store does, and changes no context. */
export function call(
  fn: AnyFunction,
  thisArg: unknown,
  count: number,
  a: unknown,
  b: unknown,
  all: ArrayLike<unknown> | undefined,
): unknown {
  // An array of arguments costs more than everything else a store does.
  if (count === 0) return fn.call(thisArg);
  if (count === 1) return fn.call(thisArg, a);
  if (count === 2) return fn.call(thisArg, a, b);
  return Reflect.apply(fn, thisArg, all ?? []);
}

/**
 * - `hook`: an `init` hook and the context on the execution's async resource.
 * - `frame`: Node's async context frame, set directly.
 * - `storage`: an `AsyncLocalStorage` and nothing but public API.
 */
export type StoreName = 'hook' | 'frame' | 'storage';

// Functions of the application, with unknown parameters and results.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;
