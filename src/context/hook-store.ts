import * as asyncHooks from 'node:async_hooks';

import { GuardedHook } from '../async/guarded-hook.ts';
import { Attachment, type Slot } from './attachment.ts';
import { call, ContextStore, type AnyFunction } from './context-store.ts';

type Slots = Record<symbol, Slot | undefined>;

// A constant, because the compiler does not inline what is imported from a built-in module.
const executionResource = asyncHooks.executionAsyncResource as () => Slots;

/**
 * Keeps the slot on the async resource of the execution, under a symbol of its own, and copies it to
 * each async resource that the execution creates.
 *
 * A slot lives as long as its async resource. A frozen async resource cannot hold one: `#sealed` has
 * the slots of those, written by `#assign`, and an entry goes with its async resource.
 */
export class HookStore extends ContextStore {
  override readonly name = 'hook';
  #key: symbol = Symbol('clew.context');
  #sealed: WeakMap<object, { slot: Slot | undefined }> | undefined;
  #hook: GuardedHook | undefined;

  override get(): Slot | undefined {
    const resource = executionResource();
    if (this.#sealed !== undefined) {
      const sealed = this.#sealed.get(resource);
      if (sealed !== undefined) return sealed.slot;
    }
    return resource[this.#key];
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
      if (previous instanceof Attachment && previous.disposed) this.settle(previous);
    }
  }

  override set(slot: Slot | undefined): boolean {
    if (!this.carrying && !this.ready()) return false;
    this.#assign(executionResource(), this.#key, slot);
    return true;
  }

  protected override start(): void {
    const key = this.#key;
    this.#hook = new GuardedHook({
      name: 'context',
      trackPromises: true,
      callbacks: {
        init: (_asyncId, _type, _triggerAsyncId, resource) => {
          const slot = this.#sealed === undefined ? executionResource()[key] : this.get();
          // A timer that is started again is the same object: an old slot has to go.
          if (slot === undefined && (resource as Slots)[key] === undefined) return;
          try {
            (resource as Slots)[key] = slot;
          } catch {
            this.#assign(resource as Slots, key, slot);
          }
        },
      },
    });
    this.#hook.enable();
  }

  protected override stop(): void {
    this.#hook?.disable();
    this.#hook = undefined;
    // What is on its way keeps a slot under a symbol nobody asks for any more.
    this.#key = Symbol('clew.context');
    this.#sealed = undefined;
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
      if (previous instanceof Attachment && previous.disposed) this.settle(previous);
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
      this.#sealed ??= new WeakMap();
      this.#sealed.set(resource, { slot });
    }
  }
}
