import * as asyncHooks from 'node:async_hooks';

import type { Context } from '@opentelemetry/api';

import { isAccepted, isServerType } from '../async/accepted-handles.ts';
import { GuardedHook } from '../async/guarded-hook.ts';
import {
  asAttachment,
  Attachment,
  AttachmentToken,
  undisposed,
  type ContextToken,
  type Slot,
} from './attachment.ts';
import { call, ContextStore, type AnyFunction, type StoreSettings } from './context-store.ts';

type Slots = Record<symbol, Slot | undefined>;

// A constant, because the compiler does not inline imports from built-in modules.
const executionResource = asyncHooks.executionAsyncResource as () => Slots;

/** In no slot and in no token. */
const FREE = 0;
/** In the slot it was put into, and in its token, and certainly nowhere else. */
const LENT = 1;
/** It may be kept for any length of time. */
const GONE = 2;

/**
 * Keeps the slot on the async resource of the execution, under a private symbol, and copies it to
 * each async resource that the execution creates.
 *
 * A slot lives as long as its async resource. A frozen async resource cannot hold one: `#sealed`
 * has the slots of those, written by `#assign`, and an entry is collected with its async resource.
 */
export class HookStore extends ContextStore {
  override readonly name = 'hook';
  #key: symbol = Symbol('clew.context');
  #sealed: WeakMap<object, { slot: Slot | undefined }> | undefined;
  #hook: GuardedHook | undefined;
  /** Whether every slot is a context, and none is in `#sealed`: so long `active` need not look. */
  #isPlain = true;
  /**
   * The attachment that was made last. The next one is the same object where that is still free,
   * so that to attach and to dispose leaves nothing behind for the collector.
   */
  #spare: Attachment | undefined;
  #spareIs: typeof FREE | typeof LENT | typeof GONE = GONE;
  readonly #adoptAccepted: boolean;
  /** The handles of servers that listen with a slot, by async id. `#closed` deletes them. */
  readonly #servers = new Map<number, WeakRef<Slots>>();
  readonly #closed = new FinalizationRegistry<number>((asyncId) => this.#servers.delete(asyncId));

  constructor(settings: StoreSettings) {
    super();
    this.#adoptAccepted = settings.adoptAccepted;
  }

  override get(): Slot | undefined {
    const resource = executionResource();
    if (this.#sealed !== undefined) {
      const sealed = this.#sealed.get(resource);
      if (sealed !== undefined) return sealed.slot;
    }
    return resource[this.#key];
  }

  override active(): Context | undefined {
    if (this.#isPlain) return executionResource()[this.#key] as Context | undefined;
    return super.active();
  }

  override run(
    slot: Slot | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    count: number,
    a?: unknown,
    b?: unknown,
    all?: ArrayLike<unknown>,
  ): unknown {
    if (!this.carrying && !this.ready()) return call(fn, thisArg, count, a, b, all);
    const resource = executionResource();
    if (this.#sealed !== undefined) {
      return this.#runSealed(resource, slot, fn, thisArg, count, a, b, all);
    }
    const key = this.#key;
    const previous = resource[key];
    try {
      resource[key] = slot;
    } catch {
      return this.#runSealed(resource, slot, fn, thisArg, count, a, b, all);
    }
    try {
      return call(fn, thisArg, count, a, b, all);
    } finally {
      // A store and no call: a call could overflow the stack that `fn` has just overflowed.
      try {
        resource[key] = previous;
      } catch {
        // Frozen meanwhile.
        this.#assign(resource, key, previous);
      }
      if (asAttachment(previous) !== undefined) this.settle(previous);
    }
  }

  override enter(slot: Slot | undefined): void {
    if (!this.carrying && !this.ready()) return;
    this.#spareIs = GONE;
    this.#assign(executionResource(), this.#key, slot);
  }

  override attach(context: Context): ContextToken {
    this.#isPlain = false;
    const attachment = this.#spareIs === FREE ? this.#spare : this.#makeSpare();
    if (attachment === undefined) return super.attach(context);
    const resource = executionResource();
    const key = this.#key;
    const token = new AttachmentToken(this, attachment, undisposed(resource[key]));
    attachment.attached = context;
    try {
      resource[key] = attachment;
      this.#spareIs = LENT;
    } catch {
      // Frozen.
      this.#assign(resource, key, attachment);
    }
    return token;
  }

  override detach(attachment: Attachment, previous: Slot | undefined): void {
    if (this.#spareIs === LENT && attachment === this.#spare) {
      const resource = executionResource();
      const key = this.#key;
      if (resource[key] === attachment) {
        try {
          resource[key] = undisposed(previous);
          attachment.attached = undefined;
          this.#spareIs = FREE;
          return;
        } catch {
          // Frozen meanwhile.
        }
      }
    }
    super.detach(attachment, previous);
  }

  #makeSpare(): Attachment | undefined {
    if (this.#sealed !== undefined || !this.ready()) return undefined;
    this.#spare = new Attachment();
    this.#spareIs = FREE;
    return this.#spare;
  }

  protected override start(): void {
    const key = this.#key;
    this.#hook = new GuardedHook({
      name: 'context',
      trackPromises: true,
      callbacks: {
        // Most async resources are promises. This is as short as it is so that the compiler puts it
        // where Node creates one: a branch more, and each promise costs more on Node 22.
        init: (asyncId, type, triggerAsyncId, resource) => {
          if (type === 'PROMISE' && this.#isPlain)
            (resource as Slots)[key] = executionResource()[key];
          else this.#init(asyncId, type, triggerAsyncId, resource as Slots);
        },
      },
    });
    this.#hook.enable();
  }

  protected override stop(): void {
    this.#hook?.disable();
    this.#hook = undefined;
    // Async resources in flight keep a slot under a symbol that is no longer read.
    this.#key = Symbol('clew.context');
    this.#spareIs = GONE;
    this.#sealed = undefined;
    this.#servers.clear();
  }

  /** Gives a new async resource the slot of the execution that created it, or of its server. */
  #init(asyncId: number, type: string, triggerAsyncId: number, resource: Slots): void {
    const key = this.#key;
    const isServer = isServerType(type);
    let slot: Slot | undefined;
    if (this.#isPlain && !isServer && this.#servers.size === 0) {
      slot = executionResource()[key];
    } else {
      this.#spareIs = GONE;
      slot = this.get();
      if (slot === undefined) {
        if (this.#servers.size > 0 && isAccepted(type)) slot = this.#slotOf(triggerAsyncId);
      } else if (isServer && this.#adoptAccepted) {
        this.#servers.set(asyncId, new WeakRef(resource));
        this.#closed.register(resource, asyncId);
      }
    }
    try {
      // Also where there is none: a timer that is started again is the same object.
      resource[key] = slot;
    } catch {
      // Frozen.
      if (resource[key] !== slot || this.#sealed !== undefined) this.#assign(resource, key, slot);
    }
  }

  #slotOf(serverAsyncId: number): Slot | undefined {
    return this.#servers.get(serverAsyncId)?.deref()?.[this.#key];
  }

  #runSealed(
    resource: Slots,
    slot: Slot | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    count: number,
    a: unknown,
    b: unknown,
    all: ArrayLike<unknown> | undefined,
  ): unknown {
    const key = this.#key;
    const previous = this.get();
    this.#assign(resource, key, slot);
    try {
      return call(fn, thisArg, count, a, b, all);
    } finally {
      if (key === this.#key) this.#assign(resource, key, previous);
      if (asAttachment(previous) !== undefined) this.settle(previous);
    }
  }

  #assign(resource: Slots, key: symbol, slot: Slot | undefined): void {
    const sealed = this.#sealed?.get(resource);
    if (sealed !== undefined) {
      sealed.slot = slot;
      return;
    }
    try {
      resource[key] = slot;
    } catch {
      if (key !== this.#key) return;
      this.#spareIs = GONE;
      this.#isPlain = false;
      this.#sealed ??= new WeakMap();
      this.#sealed.set(resource, { slot });
    }
  }
}
