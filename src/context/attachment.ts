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
  // Declared only: a field would be set twice, and one of these is made for each `attach`.
  declare readonly context: Context;
  declare disposed: boolean;
  /** What was there before. Set when this is disposed of: until then, only the token needs it. */
  declare replacement: Slot | undefined;

  constructor(context: Context) {
    this.context = context;
    this.disposed = false;
    this.replacement = undefined;
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
  declare private readonly store: ContextStore;
  /** Undefined where nothing was attached. */
  declare private readonly attachment: Attachment | undefined;
  declare private previous: Slot | undefined;

  constructor(store: ContextStore, attachment: Attachment | undefined, previous: Slot | undefined) {
    this.store = store;
    this.attachment = attachment;
    this.previous = previous;
  }

  dispose(): void {
    const attachment = this.attachment;
    if (attachment === undefined || attachment.disposed) return;
    attachment.disposed = true;
    attachment.replacement = this.previous;
    this.previous = undefined;
    // Elsewhere, or under a later context: what is active there is not ours to change. A later
    // token that would bring this attachment back finds it disposed.
    if (this.store.get() === attachment) this.store.set(undisposed(attachment));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
