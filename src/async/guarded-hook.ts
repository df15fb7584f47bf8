import { createHook, type AsyncHook } from 'node:async_hooks';

import { messageOf } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';

/**
 * Callbacks of a hook. The order of arguments is that of `node:async_hooks`.
 *
 * `destroy` on a hook that sees promises costs 4 to 28 times an `await`, because every promise
 * then needs a weak callback: leave it out in normal operation.
 */
export interface HookCallbacks {
  init?: (asyncId: number, type: string, triggerAsyncId: number, resource: object) => void;
  before?: (asyncId: number) => void;
  after?: (asyncId: number) => void;
  destroy?: (asyncId: number) => void;
  promiseResolve?: (asyncId: number) => void;
}

export interface GuardedHookOptions {
  /** Names the hook in the line that is written when one of its callbacks fails. */
  name: string;
  callbacks: HookCallbacks;
  /** Whether promises are seen. Runtimes that do not know the option show them all the same. */
  trackPromises: boolean;
  /** Called once, after the hook turned itself off because a callback threw. */
  onFailure?(error: unknown): void;
}

/**
 * The only place in the package that creates a hook.
 *
 * Node exits the process when a hook callback throws, and neither `try` nor `uncaughtException`
 * sees it. So a callback that throws here turns its own hook off and logs one line, and the
 * application keeps running.
 */
export class GuardedHook {
  readonly #hook: AsyncHook;
  readonly #options: GuardedHookOptions;
  #enabled = false;

  constructor(options: GuardedHookOptions) {
    this.#options = options;
    const { callbacks } = options;
    const guarded: HookCallbacks & { trackPromises?: boolean } = {};
    // Only the callbacks that are needed are registered: an empty callback is not free. Each is
    // held in a constant, which the compiler needs to inline it.
    const { init } = callbacks;
    if (init) {
      guarded.init = (asyncId, type, triggerAsyncId, resource) => {
        try {
          init(asyncId, type, triggerAsyncId, resource);
        } catch (error) {
          // The application ran out of stack; its own next call will throw.
          if (!(error instanceof RangeError)) this.#fail('init', error);
        }
      };
    }
    for (const event of ['before', 'after', 'destroy', 'promiseResolve'] as const) {
      const callback = callbacks[event];
      if (!callback) continue;
      guarded[event] = (asyncId) => {
        try {
          callback(asyncId);
        } catch (error) {
          // The application ran out of stack; its own next call will throw.
          if (!(error instanceof RangeError)) this.#fail(event, error);
        }
      };
    }
    if (!options.trackPromises) guarded.trackPromises = false;
    this.#hook = createHook(guarded);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  enable(): void {
    this.#enabled = true;
    this.#hook.enable();
  }

  disable(): void {
    this.#enabled = false;
    this.#hook.disable();
  }

  #fail(event: string, error: unknown): void {
    try {
      this.disable();
      sayOnce(
        'error',
        `hook:${this.#options.name}`,
        `the ${this.#options.name} hook failed in ${event} and is off now: ${messageOf(error)}. ` +
          'Please report it; the application is not affected.',
      );
      this.#options.onFailure?.(error);
    } catch {
      // Out of stack or memory: being off is all that can still be done.
    }
  }
}
