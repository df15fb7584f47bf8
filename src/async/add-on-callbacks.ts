import * as asyncHooks from 'node:async_hooks';

import { onAddOnLoaded } from './add-on-loading.ts';
import { GuardedHook } from './guarded-hook.ts';

/*
 * Native add-ons have async resources of their own: `napi_create_async_work`, threadsafe functions,
 * `napi_async_init`, and what older add-ons use in their place. Where Node propagates contexts by
 * frames, it keeps no frame for any of these, and their callbacks start without one.
 */

/** Types of async resources that Node itself creates. They all carry their frame. */
const OWN_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(asyncHooks.asyncWrapProviders),
  'Immediate',
  'TickObject',
  'Timeout',
]);

export interface AddOnCallbacksOptions<Value> {
  /** The value of the running code. */
  get: () => Value | undefined;
  /** Gives `value` to the callback that begins. */
  enter: (value: Value) => void;
}

/**
 * Runs the callbacks of native add-ons with the value of the code that requested them.
 *
 * No hook is on before an add-on is loaded; then one sees handles being created, and another one,
 * while an add-on has work under a value, callbacks beginning. `#values` has the value by async id;
 * `destroy` deletes it. When such a callback ends, Node puts back the frame that was current before,
 * also where an add-on calls back in the middle of other code.
 */
export class AddOnCallbacks<Value> {
  readonly #values = new Map<number, Value>();
  readonly #creations: GuardedHook;
  readonly #callbacks: GuardedHook;
  #stopWaiting: (() => void) | undefined;

  constructor({ get, enter }: AddOnCallbacksOptions<Value>) {
    this.#creations = new GuardedHook({
      name: 'add-on-work',
      trackPromises: false,
      callbacks: {
        init: (asyncId, type, _triggerAsyncId, resource) => {
          // Those of JavaScript carry their frame, too.
          if (OWN_TYPES.has(type) || resource instanceof asyncHooks.AsyncResource) return;
          const value = get();
          if (value === undefined) return;
          this.#values.set(asyncId, value);
          if (!this.#callbacks.enabled) this.#callbacks.enable();
        },
      },
    });
    this.#callbacks = new GuardedHook({
      name: 'add-on-callbacks',
      trackPromises: false,
      callbacks: {
        before: (asyncId) => {
          const value = this.#values.get(asyncId);
          if (value !== undefined && get() === undefined) enter(value);
        },
        destroy: (asyncId) => {
          if (this.#values.delete(asyncId) && this.#values.size === 0) this.#callbacks.disable();
        },
      },
    });
  }

  start(): void {
    this.#stopWaiting = onAddOnLoaded(() => this.#creations.enable());
  }

  stop(): void {
    this.#stopWaiting?.();
    this.#creations.disable();
    this.#callbacks.disable();
    this.#values.clear();
  }
}
