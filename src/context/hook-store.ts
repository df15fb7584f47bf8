import { executionAsyncResource } from 'node:async_hooks';

import { GuardedHook } from '../async/guarded-hook.ts';
import { ContextStore, type AnyFunction } from './context-store.ts';

type Slots = Record<symbol, unknown>;

/**
 * Keeps the value on the async resource of the execution, under a symbol of its own, and copies it
 * to each async resource that the execution creates.
 *
 * The value lives as long as its async resource. A frozen async resource cannot hold one: `#sealed`
 * has the values of those, written by `#assign`, and drops an entry with its resource.
 */
export class HookStore<Value> extends ContextStore<Value> {
  override readonly name = 'hook';
  #key: symbol = Symbol('clew.context');
  #sealed = new WeakMap<object, { value: unknown }>();
  #anySealed = false;
  #hook: GuardedHook | undefined;

  override get(): Value | undefined {
    const resource = executionAsyncResource();
    if (this.#anySealed) {
      const sealed = this.#sealed.get(resource);
      if (sealed !== undefined) return sealed.value as Value | undefined;
    }
    return (resource as Slots)[this.#key] as Value | undefined;
  }

  override run(
    value: Value | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    extra: ArrayLike<unknown> | undefined,
  ): unknown {
    if (!this.carrying && !this.ready()) return Reflect.apply(fn, thisArg, extra ?? []);
    const resource = executionAsyncResource() as Slots;
    if (this.#anySealed || !Object.isExtensible(resource)) {
      return this.#runSealed(resource, value, fn, thisArg, extra);
    }
    const key = this.#key;
    const previous = resource[key];
    resource[key] = value;
    try {
      return extra === undefined ? fn.call(thisArg) : Reflect.apply(fn, thisArg, extra);
    } finally {
      // Stores and nothing else: a call could overflow the stack that `fn` has just overflowed.
      try {
        resource[key] = previous;
      } catch {
        // Frozen meanwhile.
        this.#assign(resource, previous as Value | undefined);
      }
    }
  }

  override set(value: Value | undefined): boolean {
    if (!this.ready()) return false;
    this.#assign(executionAsyncResource() as Slots, value);
    return true;
  }

  protected override start(): void {
    const key = this.#key;
    this.#hook ??= new GuardedHook({
      name: 'context',
      trackPromises: true,
      callbacks: {
        init: (_asyncId, _type, _triggerAsyncId, resource) => {
          const current = executionAsyncResource() as Slots;
          if (this.#anySealed) {
            this.#assign(resource as Slots, this.get());
            return;
          }
          const value = current[key];
          // A timer that is started again is the same object: an old value has to go.
          if (value === undefined && (resource as Slots)[key] === undefined) return;
          try {
            (resource as Slots)[key] = value;
          } catch {
            this.#assign(resource as Slots, value as Value | undefined);
          }
        },
      },
    });
    this.#hook.enable();
  }

  protected override stop(): void {
    this.#hook?.disable();
    this.#hook = undefined;
    // What is on its way keeps a value under a symbol nobody asks for any more.
    this.#key = Symbol('clew.context');
    this.#sealed = new WeakMap();
    this.#anySealed = false;
  }

  #runSealed(
    resource: Slots,
    value: Value | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    extra: ArrayLike<unknown> | undefined,
  ): unknown {
    const previous = this.get();
    this.#assign(resource, value);
    try {
      return Reflect.apply(fn, thisArg, extra ?? []);
    } finally {
      this.#assign(resource, previous);
    }
  }

  #assign(resource: Slots, value: Value | undefined): void {
    const sealed = this.#anySealed ? this.#sealed.get(resource) : undefined;
    if (sealed !== undefined) {
      sealed.value = value;
      return;
    }
    try {
      resource[this.#key] = value;
    } catch {
      this.#sealed.set(resource, { value });
      this.#anySealed = true;
    }
  }
}
