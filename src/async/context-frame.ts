import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/*
 * Direct access to Node's async context frame: the immutable map that carries the values of all
 * `AsyncLocalStorage`s, where Node propagates contexts that way.
 *
 * The frame is not public, so nothing here is assumed. A frame is found on a public
 * `AsyncResource`, without flags; its class provides the way to read and replace the current one;
 * and `createFrameAccess` verifies on the running Node that the public API sees these changes. On
 * any difference it returns `undefined`, and the caller uses the public API.
 */

/** The operations on the current frame. A frame is otherwise opaque. */
export interface FrameAccess {
  /** The frame of the code that is running; `undefined` where there is none. */
  current: () => object | undefined;
  /** Makes `frame` the one of the running code and of what that code will request. */
  set: (frame: object | undefined) => void;
  /** A copy of the current frame of Node's own making, without the entry of `storage`. */
  copyWithout: (storage: AsyncLocalStorage<unknown>) => object | undefined;
  /** Whether `frame` is of Node's own making. */
  isNative: (frame: object) => boolean;
}

interface NativeFrame {
  has(storage: object): boolean;
  get(storage: object): unknown;
  delete(storage: object): boolean;
  readonly size: number;
}

interface NativeFrameClass {
  new (storage: object, value: unknown): NativeFrame;
  current: (this: void) => object | undefined;
  set: (this: void, frame: object | undefined) => void;
}

/**
 * A frame that adds one value to another frame without copying it.
 *
 * Node reads it through the methods of a map. `base` is a frame of Node's own making and never
 * another `LinkedFrame`, so frames do not form chains however deep contexts are nested.
 */
export class LinkedFrame {
  // Declared only: a field would be set twice, and one of these is made for each context.
  declare readonly storage: object;
  declare readonly base: object | undefined;
  declare value: unknown;
  /** The entry of `storage` was removed, as `storage.disable()` does. */
  declare removed: boolean;

  constructor(storage: object, base: object | undefined, value: unknown) {
    this.storage = storage;
    this.base = base;
    this.value = value;
    this.removed = false;
  }

  has(storage: object): boolean {
    if (storage === this.storage) return !this.removed;
    return this.base !== undefined && (this.base as NativeFrame).has(storage);
  }

  get(storage: object): unknown {
    if (storage === this.storage) return this.removed ? undefined : this.value;
    return this.base === undefined ? undefined : (this.base as NativeFrame).get(storage);
  }

  delete(storage: object): boolean {
    if (storage !== this.storage) {
      return this.base !== undefined && (this.base as NativeFrame).delete(storage);
    }
    const removed = !this.removed;
    this.removed = true;
    this.value = undefined;
    return removed;
  }

  /** What Node calls for `storage.disable()`. */
  disable(storage: object): void {
    this.delete(storage);
  }

  *[Symbol.iterator](): Generator<[object, unknown]> {
    // Node copies the current frame by iterating over it whenever a storage gets a value.
    if (this.base !== undefined) yield* this.base as unknown as Iterable<[object, unknown]>;
    if (!this.removed) yield [this.storage, this.value];
  }
}

/** What can be done with the frame of this runtime; `undefined` where it is not what we know. */
export const frameAccess: FrameAccess | undefined = createFrameAccess();

function createFrameAccess(): FrameAccess | undefined {
  try {
    const frameClass = findFrameClass();
    if (frameClass === undefined) return undefined;
    const access = accessThrough(frameClass);
    return provesItself(access) ? access : undefined;
  } catch {
    return undefined;
  }
}

function findFrameClass(): NativeFrameClass | undefined {
  const probe = new AsyncLocalStorage<object>();
  try {
    return frameClassOf(probe);
  } finally {
    // Where there are no frames, a storage that was used has Node hook every promise ever after.
    probe.disable();
  }
}

function frameClassOf(probe: AsyncLocalStorage<object>): NativeFrameClass | undefined {
  const marker = {};
  const resource = probe.run(
    marker,
    () => new AsyncResource('CLEW_PROBE', { requireManualDestroy: true }),
  );
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    const frame = (resource as unknown as Record<symbol, unknown>)[symbol];
    if (typeof frame !== 'object' || frame === null) continue;
    const candidate = frame as Partial<NativeFrame>;
    if (typeof candidate.get !== 'function' || typeof candidate.has !== 'function') continue;
    if (!candidate.has(probe) || candidate.get(probe) !== marker) continue;
    const found = frame.constructor as Partial<NativeFrameClass>;
    if (typeof found.current !== 'function' || typeof found.set !== 'function') return undefined;
    return found as NativeFrameClass;
  }
  return undefined;
}

function accessThrough(frameClass: NativeFrameClass): FrameAccess {
  // Taken off the class, which they do not need: that is tried below, as everything is.
  const { current, set } = frameClass;
  return {
    current,
    set,
    copyWithout(storage) {
      const copy = new frameClass(storage, undefined);
      copy.delete(storage);
      return copy.size === 0 ? undefined : copy;
    },
    isNative: (frame) => frame.constructor === frameClass,
  };
}

/** Each way in which Node and a linked frame meet, tried once. */
function provesItself(access: FrameAccess): boolean {
  const ours = new AsyncLocalStorage<unknown>();
  const other = new AsyncLocalStorage<unknown>();
  const outer = access.current();
  const ok: boolean[] = [];
  try {
    other.run('other', () => {
      const base = access.current();
      if (base === undefined) return;
      ok.push(access.isNative(base));
      const linked = new LinkedFrame(ours, base, 'linked');
      access.set(linked);
      ok.push(access.current() === linked);
      ok.push(ours.getStore() === 'linked', other.getStore() === 'other');
      // Node copies our frame.
      other.run('inner', () => {
        ok.push(ours.getStore() === 'linked', other.getStore() === 'inner');
        const copy = access.copyWithout(ours);
        if (copy === undefined) return;
        access.set(copy);
        ok.push(ours.getStore() === undefined, other.getStore() === 'inner');
      });
      ok.push(ours.getStore() === undefined && other.getStore() === 'other');
      // An async resource carries our frame.
      access.set(linked);
      const resource = new AsyncResource('CLEW_PROBE', { requireManualDestroy: true });
      access.set(base);
      ok.push(ours.getStore() === undefined);
      resource.runInAsyncScope(() => ok.push(ours.getStore() === 'linked'));
      ok.push(access.current() === base);
      access.set(linked);
      ours.disable();
      ok.push(ours.getStore() === undefined && other.getStore() === 'other');
      access.set(base);
    });
    // No frame at all can be set, too.
    access.set(undefined);
    ok.push(access.current() === undefined && other.getStore() === undefined);
  } finally {
    access.set(outer);
  }
  return ok.length === 14 && ok.every(Boolean);
}
