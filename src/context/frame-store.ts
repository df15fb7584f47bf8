import { AsyncLocalStorage } from 'node:async_hooks';

import { LinkedFrame, type FrameAccess } from '../async/context-frame.ts';
import { ContextStore, type AnyFunction } from './context-store.ts';

/**
 * Keeps the value in Node's async context frame, without the copy of the whole frame that
 * `AsyncLocalStorage.run` makes.
 *
 * The value belongs to `#storage` in every frame: in a `LinkedFrame` of ours, and in the frames that
 * Node copies from one when other storages get a value. So `#storage.getStore()` is always right,
 * and wherever a frame is met that we do not know, the public API does the work.
 */
export class FrameStore<Value> extends ContextStore<Value> {
  override readonly name = 'frame';
  readonly #frames: FrameAccess;
  #storage = new AsyncLocalStorage<Value | undefined>();

  constructor(frames: FrameAccess) {
    super();
    this.#frames = frames;
  }

  override get(): Value | undefined {
    const frame = this.#frames.current();
    if (frame === undefined) return undefined;
    if (frame instanceof LinkedFrame && frame.storage === this.#storage) {
      return frame.value as Value | undefined;
    }
    return this.#storage.getStore();
  }

  override run(
    value: Value | undefined,
    fn: AnyFunction,
    thisArg: unknown,
    extra: ArrayLike<unknown> | undefined,
  ): unknown {
    if (!this.carrying && !this.ready()) return Reflect.apply(fn, thisArg, extra ?? []);
    const frames = this.#frames;
    const previous = frames.current();
    const mine = this.#link(previous, value);
    if (mine === undefined) {
      return this.#storage.run(value, () => Reflect.apply(fn, thisArg, extra ?? []));
    }
    frames.set(mine);
    try {
      return extra === undefined ? fn.call(thisArg) : Reflect.apply(fn, thisArg, extra);
    } finally {
      const current = frames.current();
      if (
        current === mine ||
        (current instanceof LinkedFrame &&
          current.storage === mine.storage &&
          current.base === mine.base)
      ) {
        frames.set(previous);
      } else {
        // Another storage was given a value inside, to stay: only ours is taken back.
        this.#restore(previous);
      }
    }
  }

  override set(value: Value | undefined): boolean {
    if (!this.ready()) return false;
    const linked = this.#link(this.#frames.current(), value);
    if (linked === undefined) this.#storage.enterWith(value);
    else this.#frames.set(linked);
    return true;
  }

  protected override start(): void {
    // Node carries the frame, whoever made it.
  }

  protected override stop(): void {
    this.#storage.disable();
    // Values on their way belong to a storage nobody asks any more.
    this.#storage = new AsyncLocalStorage();
  }

  /** A frame that differs from `previous` by our value; `undefined` where we may not link. */
  #link(previous: object | undefined, value: Value | undefined): LinkedFrame | undefined {
    const storage = this.#storage;
    if (previous === undefined) return new LinkedFrame(storage, undefined, value);
    if (previous instanceof LinkedFrame) {
      if (previous.storage !== storage) return undefined;
      return new LinkedFrame(storage, previous.base, value);
    }
    if (!this.#frames.isNative(previous)) return undefined;
    return new LinkedFrame(storage, this.#baseOf(previous), value);
  }

  /**
   * `frame` without an older value of ours, which would otherwise live as long as the new one.
   * `frame` has to be the current one.
   */
  #baseOf(frame: object): object | undefined {
    const storage = this.#storage;
    if (!(frame as { has(key: object): boolean }).has(storage)) return frame;
    const known = (frame as Bases)[BASE];
    if (known !== undefined && known.storage === storage) return known.base;
    const base = this.#frames.copyWithout(storage);
    (frame as Bases)[BASE] = { storage, base };
    return base;
  }

  #restore(previous: object | undefined): void {
    const value = (previous as { get(key: object): unknown } | undefined)?.get(this.#storage);
    this.#storage.enterWith(value as Value | undefined);
  }
}

/** On a frame of Node's that has a value of ours: the same frame without it, for this storage. */
const BASE = Symbol('clew.base');

interface Bases {
  [BASE]?: { storage: object; base: object | undefined };
}
