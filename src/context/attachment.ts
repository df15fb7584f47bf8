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
  declare readonly attached: Context;
  declare disposed: boolean;
  /** What was there before. Set when this is disposed of: until then, only the token needs it. */
  declare replacement: Slot | undefined;

  constructor(context: Context) {
    this.attached = context;
    this.disposed = false;
    this.replacement = undefined;
  }
}

/**
 * The attachment that `slot` is, if it is one. A property tells, because it is faster to ask for
 * than the class, and every operation of the manager asks.
 */
export function asAttachment(slot: Slot | undefined): Attachment | undefined {
  return slot !== undefined && (slot as Attachment).attached !== undefined
    ? (slot as Attachment)
    : undefined;
}

/** What holds in the place of `slot`: itself, or what its disposed attachments replaced. */
export function undisposed(slot: Slot | undefined): Slot | undefined {
  let found = slot;
  for (;;) {
    const attachment = asAttachment(found);
    if (attachment === undefined || !attachment.disposed) return found;
    found = attachment.replacement;
  }
}

/** Undoes one `attach`. Tokens may be disposed of in any order, more than once, and anywhere. */
export class AttachmentToken {
  declare private readonly store: ContextStore;
  declare private readonly attachment: Attachment;
  declare private previous: Slot | undefined;

  constructor(store: ContextStore, attachment: Attachment) {
    this.store = store;
    this.attachment = attachment;
    this.previous = undefined;
  }

  /** Attaches. What can fail, the making of this token, is done by then. */
  attach(): void {
    this.previous = undisposed(this.store.exchange(this.attachment));
  }

  dispose(): void {
    const { attachment, previous } = this;
    if (attachment.disposed) return;
    attachment.disposed = true;
    attachment.replacement = previous;
    this.previous = undefined;
    // Elsewhere, or under a later context: what is active there is not ours to change. A later
    // token that would bring this attachment back finds it disposed.
    this.store.replace(attachment, undisposed(previous));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The token where nothing was attached. */
export const EMPTY_TOKEN: { dispose(): void; [Symbol.dispose](): void } = Object.freeze({
  dispose() {},
  [Symbol.dispose]() {},
});
