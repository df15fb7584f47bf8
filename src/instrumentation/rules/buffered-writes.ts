import { patchMethod, type Undo } from '../patch.ts';
import { carriesContext } from '../wrap/active-context.ts';
import {
  bindFunction,
  callInside,
  RepairUnit,
  type AnyFunction,
  type RuleState,
} from '../wrap/repair-unit.ts';

/*
 * A chunk that a Writable buffers is written in the turn of whoever made room for it. Only such
 * writes are touched: the others reach `_write` on the caller's own stack.
 *
 * Which buffered chunk `_write` is given is known by its callback: Node keeps the callback of the
 * write in progress as `writecb` on the stream's state. `units` finds the unit by it; both go when
 * the write is done. Batches (`_writev`) belong to several callers and are left alone.
 */
interface WritableState {
  writing?: boolean;
  corked?: number;
  constructed?: boolean;
  writecb?: unknown;
  ended?: boolean;
  ending?: boolean;
}

interface Stream {
  _writableState?: WritableState;
  _write?: AnyFunction;
  _writev?: unknown;
}

/** Patches `write` of a Writable prototype, and `_write` of the streams that buffer. */
export function repairBufferedWrites(prototype: object, state: RuleState): Undo {
  const units = new WeakMap<AnyFunction, RepairUnit>();
  const holders = new Holders(units, state);
  const undoWrite = patchMethod(
    prototype as Record<string, AnyFunction>,
    'write',
    (original) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const stream = this as Stream;
        if (!state.active || !isBuffering(stream)) return Reflect.apply(original, this, args);
        const unit = new RepairUnit(state);
        if (!carriesContext(unit)) return Reflect.apply(original, this, args);
        const position = typeof args[1] === 'function' ? 1 : 2;
        const given = args[position];
        const isMissing = given === undefined || given === null;
        if (!isMissing && typeof given !== 'function') return Reflect.apply(original, this, args);
        // One function for each write, or two writes without a callback could not be told apart.
        const callback = isMissing
          ? (): void => undefined
          : bindFunction(given as AnyFunction, unit);
        if (stream._writev === undefined || stream._writev === null) {
          units.set(callback, unit);
          holders.patch(stream);
        } else if (isMissing) {
          return Reflect.apply(original, this, args);
        }
        const passed = [...args];
        passed[position] = callback;
        return callInside(unit, original, this, passed);
      },
  );
  return () => {
    undoWrite?.();
    holders.undo();
  };
}

function isBuffering({ _writableState: state }: Stream): boolean {
  if (state === undefined || state.ending || state.ended) return false;
  return state.writing === true || (state.corked ?? 0) > 0 || state.constructed === false;
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
    const undo = patchMethod(
      holder as Record<string, AnyFunction>,
      '_write',
      (original) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const callback = (this as Stream)._writableState?.writecb;
          const unit =
            typeof callback === 'function' ? units.get(callback as AnyFunction) : undefined;
          return unit && ruleState.active
            ? unit.enter(original, this, args)
            : Reflect.apply(original, this, args);
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
