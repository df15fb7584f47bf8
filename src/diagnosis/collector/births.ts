import { executionAsyncResource } from 'node:async_hooks';

import { GuardedHook } from '../../async/guarded-hook.ts';
import type { Frame } from '../record.ts';
import { captureStack, readFrames, type CapturedStack } from './stack.ts';

interface Birth {
  readonly captured: CapturedStack | undefined;
  /** Of the async resource in whose callback this one was created. */
  readonly parent: Birth | undefined;
  readonly depth: number;
  frames?: readonly Frame[];
}

/** Async resources whose creation stack is kept in one look. */
const LOOK = 2000;
/** How often it is looked closer in the life of a process. */
const MAX_LOOKS = 20;
/** Async resources in a row, each created in the callback of the one before. */
const MAX_DEPTH = 64;
/** How many of them are read for a loss. */
const MAX_READ = 16;

/**
 * Creation stacks of short-lived async resources, promises too. They cost far too much to be kept
 * always; they are kept for a while after a loss for which nothing on the stack gave a reason, so
 * that the next one of its kind is explained.
 */
export class Births {
  readonly #hook: GuardedHook;
  readonly #births = new WeakMap<object, Birth>();
  #left = 0;
  #looks = 0;

  constructor() {
    const init = (_asyncId: number, _type: string, _trigger: number, resource: object): void => {
      if (--this.#left <= 0) this.#hook.disable();
      const parent = this.#births.get(executionAsyncResource());
      const isDeep = parent !== undefined && parent.depth >= MAX_DEPTH;
      this.#births.set(resource, {
        captured: captureStack(init),
        parent: isDeep ? undefined : parent,
        depth: parent && !isDeep ? parent.depth + 1 : 0,
      });
    };
    this.#hook = new GuardedHook({
      name: 'doctor-births',
      trackPromises: true,
      callbacks: { init },
    });
  }

  /**
   * Begins to keep stacks, for the next async resources. Where a package is on the stack they may
   * tell more than it does; half of the looks are for where nothing is.
   */
  look(isExplained: boolean): void {
    if (this.#left > 0 || this.#looks >= (isExplained ? MAX_LOOKS / 2 : MAX_LOOKS)) return;
    this.#looks++;
    this.#left = LOOK;
    this.#hook.enable();
  }

  stop(): void {
    this.#left = 0;
    this.#hook.disable();
  }

  /** The creation stacks that lead to the callback that runs, the nearest first, as one. */
  here(): readonly Frame[] | undefined {
    if (this.#looks === 0) return undefined;
    let birth = this.#births.get(executionAsyncResource());
    if (!birth) return undefined;
    const frames: Frame[] = [];
    for (let left = MAX_READ; birth && left > 0; birth = birth.parent, left--) {
      // A stack can be read as frames only the first time it is looked at.
      birth.frames ??= readFrames(birth.captured);
      const [first, ...rest] = birth.frames;
      // A stack ends where that of an earlier turn begins.
      if (first) frames.push(frames.length > 0 ? { ...first, isAsync: true } : first, ...rest);
    }
    return frames;
  }
}
