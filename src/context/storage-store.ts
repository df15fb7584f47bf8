import { AsyncLocalStorage } from 'node:async_hooks';

import { ContextStore, type AnyFunction } from './context-store.ts';

/** Keeps the value in an `AsyncLocalStorage`: slower than the other stores, and public API only. */
export class StorageStore<Value> extends ContextStore<Value> {
  override readonly name = 'storage';
  #storage = new AsyncLocalStorage<Value | undefined>();

  override get(): Value | undefined {
    return this.#storage.getStore();
  }

  override run(
    value: Value | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    extra: ArrayLike<unknown> | undefined,
  ): unknown {
    if (!this.carrying && !this.ready()) return Reflect.apply(fn, thisArg, extra ?? []);
    return this.#storage.run(value, () =>
      extra === undefined ? fn.call(thisArg) : Reflect.apply(fn, thisArg, extra),
    );
  }

  override set(value: Value | undefined): boolean {
    if (!this.ready()) return false;
    this.#storage.enterWith(value);
    return true;
  }

  protected override start(): void {
    // An `AsyncLocalStorage` carries from its first value on.
  }

  protected override stop(): void {
    this.#storage.disable();
    // Values on their way are in a storage nobody asks any more.
    this.#storage = new AsyncLocalStorage();
  }
}
