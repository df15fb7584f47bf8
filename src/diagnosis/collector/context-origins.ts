import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

import { ownerOf, patchHotMethod, undoAll, type Undo } from '../../base/patch.ts';
import type { Frame, OriginRecord } from '../record.ts';
import { Budget } from './budget.ts';
import { captureStack, readFrames, type CapturedStack } from './stack.ts';

/** Where a context was activated, or its span started. */
export interface Origin {
  /** The context, or an object that represents it. */
  readonly context: unknown;
  readonly captured: CapturedStack | undefined;
  /** On the clock of `performance.now()`. */
  readonly at: number;
  readonly how: OriginRecord['how'];
  frames?: readonly Frame[];
}

type Below = (...args: never[]) => unknown;
type Method = (...args: unknown[]) => unknown;
type Manager = Record<string, Method>;

const STACKS_PER_SECOND = 200;
/** The methods of the API's context managers, and those that context stores have in addition. */
const RUNS = ['with', 'run'] as const;
const ENTERS = ['attach', 'withScope', 'enterWith'] as const;

/**
 * Carries the origin of the active context along with it, in an `AsyncLocalStorage` that is entered
 * whenever the registered context manager, of any kind, activates a context. The origin goes where
 * the context goes, so that the way of a wrong context can be traced. If a manager carries its
 * contexts in another way, the two differ, and no origin is reported.
 *
 * The stacks of a limited number of activations per second are kept; the others have no origin.
 */
export class ContextOrigins {
  readonly #store = new AsyncLocalStorage<Origin | undefined>();
  readonly #budget = new Budget(STACKS_PER_SECOND);

  /** Watches the activations of `manager`. Returns a function that stops it. */
  watch(manager: unknown): Undo {
    const undos: (Undo | undefined)[] = [];
    for (const method of RUNS) undos.push(this.#patch(manager, method, true));
    for (const method of ENTERS) undos.push(this.#patch(manager, method, false));
    return undoAll(undos);
  }

  /** Returns the origin of the active `context`; undefined if it is not known. */
  of(context: unknown): Origin | undefined {
    const origin = this.#store.getStore();
    return origin?.context === context ? origin : undefined;
  }

  /** Returns an origin at the current place, if the budget allows another one. */
  here(context: unknown, how: Origin['how'], below: Below): Origin | undefined {
    if (!this.#budget.take()) return undefined;
    return { context, captured: captureStack(below), at: performance.now(), how };
  }

  #patch(manager: unknown, method: string, runs: boolean): Undo | undefined {
    const owner = ownerOf(manager, method) as Manager | undefined;
    if (!owner || owner === Object.prototype) return undefined;
    const store = this.#store;
    const here = (context: unknown, below: Below): Origin | undefined =>
      this.here(context, 'activated', below);
    return patchHotMethod(owner, method, (original, patch) => {
      return function activate(this: Manager, ...args) {
        // A manager may call its own methods: the outermost call is the one that counts.
        const isKnown = patch.isUndone || store.getStore()?.context === args[0];
        const origin = isKnown ? undefined : here(args[0], activate);
        if (!origin) return original.apply(this, args);
        if (runs) return store.run(origin, () => original.apply(this, args));
        const result = original.apply(this, args);
        store.enterWith(origin);
        return result;
      };
    });
  }
}

/** Returns the plain record of an origin at the time `now`. Reads its stack, which is expensive. */
export function originRecord(
  origin: Origin | undefined,
  now: number = performance.now(),
): OriginRecord | undefined {
  if (!origin) return undefined;
  // A stack can only be read as frames the first time it is accessed.
  origin.frames ??= readFrames(origin.captured);
  return { how: origin.how, stack: origin.frames, millis: now - origin.at };
}
