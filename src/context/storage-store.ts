import { AsyncLocalStorage } from 'node:async_hooks';

import { Attachment, type Slot } from './attachment.ts';
import { call, ContextStore, type AnyFunction } from './context-store.ts';

/** Keeps the slot in an `AsyncLocalStorage`: slower than the other stores, and public API only. */
export class StorageStore extends ContextStore {
  override readonly name = 'storage';
  #storage = new AsyncLocalStorage<Slot | undefined>();

  override get(): Slot | undefined {
    return this.#storage.getStore();
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
    const previous = this.#storage.getStore();
    try {
      return this.#storage.run(slot, call, fn, thisArg, count, a, b, all);
    } finally {
      if (previous instanceof Attachment && previous.disposed) this.settle(previous);
    }
  }

  override set(slot: Slot | undefined): boolean {
    if (!this.carrying && !this.ready()) return false;
    this.#storage.enterWith(slot);
    return true;
  }

  protected override start(): void {
    // An `AsyncLocalStorage` carries from its first value on.
  }

  protected override stop(): void {
    this.#storage.disable();
    // Slots on their way are in a storage nobody asks any more.
    this.#storage = new AsyncLocalStorage();
  }
}
