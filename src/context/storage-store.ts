import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';

import { AcceptedHandles } from '../async/accepted-handles.ts';
import { AddOnCallbacks } from '../async/add-on-callbacks.ts';
import { afterEscapedException } from '../async/escaped-exception.ts';
import { hasAsyncContextFrame } from '../async/runtime.ts';
import { asAttachment, type Slot } from './attachment.ts';
import { call, ContextStore, type AnyFunction, type StoreSettings } from './context-store.ts';

/** Keeps the slot in an `AsyncLocalStorage`: slower than the other stores, and public API only. */
export class StorageStore extends ContextStore {
  override readonly name = 'storage';
  #storage = new AsyncLocalStorage<Slot | undefined>();
  readonly #accepted: AcceptedHandles<Slot> | undefined;
  readonly #addOns: AddOnCallbacks<Slot> | undefined;
  #stopHealing: (() => void) | undefined;

  constructor(settings: StoreSettings) {
    super();
    const access = {
      get: () => this.get(),
      enter: (slot: Slot) => this.#storage.enterWith(slot),
    };
    // Without frames Node's own hook carries the slot there.
    if (hasAsyncContextFrame) this.#addOns = new AddOnCallbacks(access);
    if (settings.adoptAccepted) this.#accepted = new AcceptedHandles(access);
  }

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
    if (!hasAsyncContextFrame && !Object.isExtensible(executionAsyncResource())) {
      // Node would throw: it writes the slot on the async resource. So it gets one of ours.
      const resource = new AsyncResource('CLEW_CONTEXT', { requireManualDestroy: true });
      return resource.runInAsyncScope(() =>
        this.#storage.run(slot, call, fn, thisArg, count, a, b, all),
      );
    }
    const previous = this.#storage.getStore();
    try {
      return this.#storage.run(slot, call, fn, thisArg, count, a, b, all);
    } finally {
      if (asAttachment(previous) !== undefined) this.settle(previous);
    }
  }

  override enter(slot: Slot | undefined): void {
    if (!this.carrying && !this.ready()) return;
    try {
      this.#storage.enterWith(slot);
    } catch {
      // A frozen async resource, see `run`; here nothing can stand in for it.
    }
  }

  protected override start(): void {
    // An `AsyncLocalStorage` carries from its first value on.
    this.#accepted?.start();
    this.#addOns?.start();
    this.#stopHealing = afterEscapedException(() => this.#storage.enterWith(undefined));
  }

  protected override stop(): void {
    this.#accepted?.stop();
    this.#addOns?.stop();
    this.#stopHealing?.();
    this.#storage.disable();
    // Slots in flight are in a storage that is no longer read.
    this.#storage = new AsyncLocalStorage();
  }
}
