import { AsyncLocalStorage } from 'node:async_hooks';

import { AcceptedHandles } from '../async/accepted-handles.ts';
import { AddOnCallbacks } from '../async/add-on-callbacks.ts';
import { frameAccess, LinkedFrame, type FrameAccess } from '../async/context-frame.ts';
import { afterEscapedException } from '../async/escaped-exception.ts';
import { asAttachment, type Slot } from './attachment.ts';
import { call, ContextStore, type AnyFunction, type StoreSettings } from './context-store.ts';

// Constants of this module, because the compiler inlines nothing else. Where there is no access,
// `choose-store.ts` makes no store of this kind.
const { current, set: setCurrent, copyWithout, isNative } = frameAccess ?? ({} as FrameAccess);

/**
 * Keeps the slot in Node's async context frame, without the copy of the whole frame that
 * `AsyncLocalStorage.run` makes.
 *
 * The slot belongs to `#storage` in every frame: in a `LinkedFrame` of ours, and in the frames that
 * Node copies from one when other storages get a value. So `#storage.getStore()` is always right,
 * and wherever a frame is met that we do not know, the public API does the work.
 */
export class FrameStore extends ContextStore {
  override readonly name = 'frame';
  #storage = new AsyncLocalStorage<Slot | undefined>();
  readonly #accepted: AcceptedHandles<Slot> | undefined;
  readonly #addOns: AddOnCallbacks<Slot>;
  #stopHealing: (() => void) | undefined;

  constructor(settings: StoreSettings) {
    super();
    const access = { get: () => this.get(), enter: (slot: Slot) => this.enter(slot) };
    this.#addOns = new AddOnCallbacks(access);
    if (settings.adoptAccepted) this.#accepted = new AcceptedHandles(access);
  }

  override get(): Slot | undefined {
    const frame = current();
    if (frame === undefined) return undefined;
    if (frame instanceof LinkedFrame && frame.storage === this.#storage) {
      return frame.value as Slot | undefined;
    }
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
    const storage = this.#storage;
    const previous = current();
    const mine = this.#link(previous, slot);
    if (mine === undefined) return this.#runCopied(slot, fn, thisArg, count, a, b, all);
    setCurrent(mine);
    try {
      return call(fn, thisArg, count, a, b, all);
    } finally {
      const last = current();
      if (
        last === mine ||
        (last instanceof LinkedFrame && last.storage === storage && last.base === mine.base)
      ) {
        setCurrent(previous);
      } else {
        // Another storage was given a value inside, to stay: only ours is taken back.
        const before = (previous as LinkedFrame | undefined)?.get(storage);
        storage.enterWith(before as Slot | undefined);
      }
      if (previous instanceof LinkedFrame && asAttachment(previous.value as Slot) !== undefined) {
        this.settle(previous.value as Slot);
      }
    }
  }

  override enter(slot: Slot | undefined): void {
    if (!this.carrying && !this.ready()) return;
    const linked = this.#link(current(), slot);
    if (linked === undefined) this.#storage.enterWith(slot);
    else setCurrent(linked);
  }

  protected override start(): void {
    // Node carries the frame, no matter which code created it. Outside of all callbacks there is
    // none.
    this.#accepted?.start();
    this.#addOns.start();
    this.#stopHealing = afterEscapedException(() => setCurrent(undefined));
  }

  protected override stop(): void {
    this.#accepted?.stop();
    this.#addOns.stop();
    this.#stopHealing?.();
    this.#storage.disable();
    // Slots in flight belong to a storage that is no longer read.
    this.#storage = new AsyncLocalStorage();
  }

  /** `run` on top of a frame that must not be linked to. */
  #runCopied(
    slot: Slot | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    count: number,
    a: unknown,
    b: unknown,
    all: ArrayLike<unknown> | undefined,
  ): unknown {
    const previous = this.#storage.getStore();
    try {
      return this.#storage.run(slot, call, fn, thisArg, count, a, b, all);
    } finally {
      if (asAttachment(previous) !== undefined) this.settle(previous);
    }
  }

  /** A frame that differs from `previous` by our slot; `undefined` where we may not link. */
  #link(previous: object | undefined, slot: Slot | undefined): LinkedFrame | undefined {
    const storage = this.#storage;
    if (previous === undefined) return new LinkedFrame(storage, undefined, slot);
    if (previous instanceof LinkedFrame) {
      if (previous.storage !== storage) return undefined;
      return new LinkedFrame(storage, previous.base, slot);
    }
    if (!isNative(previous)) return undefined;
    return new LinkedFrame(storage, this.#baseOf(previous), slot);
  }

  /**
   * `frame` without an older slot of ours, which would otherwise live as long as the new one.
   * `frame` has to be the current one.
   */
  #baseOf(frame: object): object | undefined {
    const storage = this.#storage;
    if (!(frame as { has(key: object): boolean }).has(storage)) return frame;
    const known = (frame as Bases)[BASE];
    if (known !== undefined && known.storage === storage) return known.base;
    const base = copyWithout(storage);
    (frame as Bases)[BASE] = { storage, base };
    return base;
  }
}

/** On a frame of Node's that has a slot of ours: the same frame without it, for this storage. */
const BASE: unique symbol = Symbol('clew.base');

interface Bases {
  [BASE]?: { storage: object; base: object | undefined };
}
