import { onWrites } from '../../patch/write-methods.ts';
import { patchHotMethod, type Undo } from '../../base/patch.ts';
import { carriesContext } from '../wrap/active-context.ts';
import { bindFunction, RepairUnit, type AnyFunction, type RuleState } from '../wrap/repair-unit.ts';

/*
 * A chunk that a Writable buffers is written in the turn of whoever made room for it. Only such
 * writes are touched: the others reach `_write` on the caller's own stack.
 *
 * Which buffered chunk `_write` is given is known by its callback: Node keeps the callback of the
 * write in progress as `writecb` on the stream's state. `units` finds the unit by it; both go when
 * the write is done. Batches (`_writev`) belong to several callers and are left alone.
 */
interface WritableState {
  writecb?: unknown;
}

interface Stream {
  _writableState?: WritableState;
  _write?: AnyFunction;
  _writev?: unknown;
}

/** Binds the chunks that streams buffer, and patches `_write` of those streams. */
export function repairBufferedWrites(state: RuleState): Undo {
  const units = new WeakMap<AnyFunction, RepairUnit>();
  const holders = new Holders(units, state);
  const undo = onWrites({
    bindBuffered(stream: Stream, given) {
      const unit = new RepairUnit(state);
      if (!carriesContext(unit)) return given;
      const isBatched = stream._writev !== undefined && stream._writev !== null;
      if (isBatched && given === undefined) return undefined;
      // One function for each write, or two writes without a callback could not be told apart.
      const callback = given === undefined ? (): void => undefined : bindFunction(given, unit);
      if (!isBatched) {
        units.set(callback, unit);
        holders.patch(stream);
      }
      return callback;
    },
  });
  return () => {
    undo();
    holders.undo();
  };
}

/** The objects that have a `_write` of their own: prototypes, or streams made from options. */
class Holders {
  readonly #units: WeakMap<AnyFunction, RepairUnit>;
  readonly #state: RuleState;
  readonly #undos = new WeakMap<object, Undo>();
  readonly #refs = new Set<WeakRef<object>>();
  readonly #gone = new FinalizationRegistry<WeakRef<object>>((ref) => this.#refs.delete(ref));

  constructor(units: WeakMap<AnyFunction, RepairUnit>, state: RuleState) {
    this.#units = units;
    this.#state = state;
  }

  patch(stream: Stream): void {
    let holder: object | null = stream;
    while (holder && !Object.hasOwn(holder, '_write')) {
      holder = Object.getPrototypeOf(holder) as object | null;
    }
    if (!holder || this.#undos.has(holder)) return;
    const units = this.#units;
    const ruleState = this.#state;
    const undo = patchHotMethod(
      holder as Record<string, AnyFunction>,
      '_write',
      (original) =>
        function (this: unknown, chunk: unknown, encoding: unknown, done: unknown): unknown {
          const callback = (this as Stream)._writableState?.writecb;
          const unit =
            typeof callback === 'function' && ruleState.active
              ? units.get(callback as AnyFunction)
              : undefined;
          if (unit) return unit.enter(original, this, [chunk, encoding, done]);
          return original.call(this, chunk, encoding, done);
        },
    );
    if (!undo) return;
    const ref = new WeakRef(holder);
    this.#undos.set(holder, undo);
    this.#refs.add(ref);
    this.#gone.register(holder, ref);
  }

  undo(): void {
    for (const ref of this.#refs) {
      const holder = ref.deref();
      if (holder) this.#undos.get(holder)?.();
    }
    this.#refs.clear();
  }
}
