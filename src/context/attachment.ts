import type { Context } from '@opentelemetry/api';

import type { ContextStore } from './context-store.ts';

/** What a store carries for the manager. */
export type Slot = Context | Attachment;

/**
 * A context made active by `attach`.
 *
 * It is an object of its own in the store, so that its token can tell whether the running code
 * still has exactly this attachment, or has been given another context meanwhile.
 */
export class Attachment {
  readonly context: Context;
  disposed = false;
  /** What was there before. Set when this is disposed of: until then, only the token needs it. */
  replacement: Slot | undefined;

  constructor(context: Context) {
    this.context = context;
  }
}

/** What holds in the place of `slot`: itself, or what its disposed attachments replaced. */
export function undisposed(slot: Slot | undefined): Slot | undefined {
  let found = slot;
  while (found instanceof Attachment && found.disposed) found = found.replacement;
  return found;
}

/** Undoes one `attach`. Tokens may be disposed of in any order, more than once, and anywhere. */
export class AttachmentToken {
  readonly #store: ContextStore<Slot>;
  readonly #attachment: Attachment;
  #previous: Slot | undefined;

  constructor(store: ContextStore<Slot>, attachment: Attachment, previous: Slot | undefined) {
    this.#store = store;
    this.#attachment = attachment;
    this.#previous = previous;
  }

  dispose(): void {
    const attachment = this.#attachment;
    if (attachment.disposed) return;
    attachment.disposed = true;
    attachment.replacement = this.#previous;
    this.#previous = undefined;
    // Elsewhere, or under a later context: what is active there is not ours to change. A later
    // token that would bring this attachment back finds it disposed.
    if (this.#store.get() === attachment) this.#store.set(undisposed(attachment));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
