import type { Context } from '@opentelemetry/api';

/** What a store carries for the manager. */
export type Slot = Context | Attachment;

/**
 * A context made active by `attach`.
 *
 * It is a separate object in the store, so that its token can detect whether the running code still
 * has exactly this attachment, or another context by now. Only the token holds the context it
 * replaced, until it is disposed of: async resources that carry an attachment keep no earlier
 * contexts.
 */
export class Attachment {
  // Declared only: a field would be set twice, and one of these is made for each `attach`.
  declare attached: Context | undefined;
  declare disposed: boolean;
  /** What holds in its place once it is disposed of. */
  declare replacement: Slot | undefined;

  constructor() {
    this.attached = undefined;
    this.disposed = false;
    this.replacement = undefined;
  }
}

/**
 * Returns `slot` if it is an attachment. It is recognised by a property, which is faster than
 * testing the class; every operation of the manager does this.
 */
export function asAttachment(slot: Slot | undefined): Attachment | undefined {
  return slot !== undefined && (slot as Attachment).attached !== undefined
    ? (slot as Attachment)
    : undefined;
}

/** The context that is active where `slot` is. */
export function contextOf(slot: Slot | undefined): Context | undefined {
  if (slot === undefined) return undefined;
  const { attached } = slot as Attachment;
  return attached === undefined ? (slot as Context) : attached;
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

/** Undoes one `attach`. */
export interface ContextToken {
  /** Restores the context that was active before. Calling it again does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** The store that an attachment was made in, for its token. */
interface Detacher {
  detach(attachment: Attachment, previous: Slot | undefined): void;
}

/** Undoes one `attach`. Tokens may be disposed of in any order, more than once, and anywhere. */
export class AttachmentToken implements ContextToken {
  declare private readonly store: Detacher;
  /** Both are let go of when this is disposed of. */
  declare private attachment: Attachment | undefined;
  declare private previous: Slot | undefined;

  constructor(store: Detacher, attachment: Attachment, previous: Slot | undefined) {
    this.store = store;
    this.attachment = attachment;
    this.previous = previous;
  }

  dispose(): void {
    const { attachment, previous } = this;
    if (attachment === undefined) return;
    this.attachment = undefined;
    this.previous = undefined;
    this.store.detach(attachment, previous);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * The token where nothing was attached. A function, because the compiler then takes the case for
 * one that does not happen, and makes no token at all where it can see the end of it.
 */
export function emptyToken(): ContextToken {
  return EMPTY_TOKEN;
}

const EMPTY_TOKEN: ContextToken = Object.freeze({
  dispose() {},
  [Symbol.dispose]() {},
});
