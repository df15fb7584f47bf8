import { executionAsyncResource } from 'node:async_hooks';

import { GuardedHook } from '../../async/guarded-hook.ts';
import type { Frame } from '../record.ts';
import { captureStack, readFrames, type CapturedStack } from './stack.ts';

interface Birth {
  readonly captured: CapturedStack | undefined;
  /** The entry of the async resource in whose callback this one was created. */
  readonly parent: Birth | undefined;
  readonly depth: number;
  frames?: readonly Frame[];
}

/** The number of async resources whose creation stacks are kept in one period. */
const LOOK = 2000;
/** The number of such periods in the life of a process. */
const MAX_LOOKS = 20;
/**
 * The maximum length of a chain of async resources, each created in the callback of the one before.
 */
const MAX_DEPTH = 64;
/** How many of them are read per loss. */
const MAX_READ = 16;

/**
 * Keeps creation stacks of short-lived async resources, including promises. Keeping them all the
 * time would cost too much; they are kept for a while after a loss that the stack did not explain,
 * so that the next one of its kind can be explained.
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
   * Starts to keep the stacks of the next async resources. If a package is on the stack of the
   * loss, they may still add something; half of the periods are reserved for losses with nothing on
   * the stack.
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

  /** Returns the creation stacks that lead to the running callback, nearest first, as one. */
  here(): readonly Frame[] | undefined {
    if (this.#looks === 0) return undefined;
    let birth = this.#births.get(executionAsyncResource());
    if (!birth) return undefined;
    const frames: Frame[] = [];
    for (let left = MAX_READ; birth && left > 0; birth = birth.parent, left--) {
      // A stack can only be read as frames the first time it is accessed.
      birth.frames ??= readFrames(birth.captured);
      const [first, ...rest] = birth.frames;
      // A stack ends where the stack of an earlier turn begins.
      if (first) frames.push(frames.length > 0 ? { ...first, isAsync: true } : first, ...rest);
    }
    return frames;
  }
}
