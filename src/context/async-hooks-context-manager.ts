import { EventEmitter } from 'node:events';

import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

import { describeValue } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { emptyToken, type ContextToken } from './attachment.ts';
import { EmitterBinder } from './bind-emitter.ts';
import { bindFunction } from './bind-function.ts';
import { chooseStore } from './choose-store.ts';
import type { AnyFunction, ContextStore, StoreName } from './context-store.ts';
import { checkOptions, type AsyncHooksContextManagerOptions } from './options.ts';
import { RegistrationBinder } from './registration-binder.ts';
import { WriteCallbackBinder } from './write-callback-binder.ts';

export type { ContextToken };

/**
 * Carries the active context along with asynchronous work: the `ContextManager` of
 * `@opentelemetry/api`.
 *
 * `enable` enables it, and so does its first use. After `disable`, `with` only calls its function,
 * and contexts activated earlier never become active again.
 */
export class AsyncHooksContextManager implements ContextManager {
  readonly #store: ContextStore;
  readonly #emitters: EmitterBinder;
  /** The wrappers that keep the context of the caller who passed in a function. */
  readonly #binders: readonly (RegistrationBinder | WriteCallbackBinder)[];
  #base: Context = ROOT_CONTEXT;

  constructor(options: AsyncHooksContextManagerOptions = {}) {
    checkOptions(options);
    this.#store = chooseStore(options.store, {
      adoptAccepted: options.causality !== 'execution',
    });
    this.#emitters = new EmitterBinder(this.#store);
    const writes = new WriteCallbackBinder(this.#store);
    this.#binders =
      options.listeners === 'registration'
        ? [new RegistrationBinder(this.#store), writes]
        : [writes];
  }

  /** The store in use. */
  get store(): StoreName {
    return this.#store.name;
  }

  active(): Context {
    return this.#store.active() ?? this.#base;
  }

  /**
   * Sets the context that is active where none was activated: the one that this process or thread
   * was started in. Without one it is the root context. @internal
   */
  setBaseContext(context: Context | undefined): void {
    this.#base = context ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Fn extends (...args: Args) => ReturnType<Fn>>(
    context: Context,
    fn: Fn,
    thisArg?: ThisParameterType<Fn>,
    ...args: Args
  ): ReturnType<Fn>;
  with(context: Context, fn: AnyFunction, thisArg?: unknown, a?: unknown, b?: unknown): unknown {
    if (typeof context !== 'object' || context === null || typeof fn !== 'function') {
      return this.#withBadInput(context, fn, arguments);
    }
    const count = arguments.length;
    if (count < 4) return this.#store.run(context, fn, thisArg, 0);
    if (count < 6) return this.#store.run(context, fn, thisArg, count - 3, a, b);
    // oxlint-disable-next-line prefer-rest-params
    const all = Array.prototype.slice.call(arguments, 3);
    return this.#store.run(context, fn, thisArg, count - 3, a, b, all);
  }

  /** Returns `target` bound to `context`. */
  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== 'function' && !isEmitter(target)) return target;
    const bound = contextFor('bind', context);
    if (bound === undefined) return target;
    if (typeof target === 'function') {
      return bindFunction(this.#store, bound, target as unknown as AnyFunction) as Target;
    }
    this.#emitters.bind(bound, target as EventEmitter);
    return target;
  }

  /**
   * Makes `context` active for the rest of the current execution and the async work it starts,
   * until the token is disposed of. Prefer `with`.
   */
  attach(context: Context): ContextToken {
    const attached = contextFor('attach', context);
    return attached === undefined ? emptyToken() : this.#store.attach(attached);
  }

  enable(): this {
    this.#store.enable();
    for (const binder of this.#binders) binder.start();
    return this;
  }

  disable(): this {
    this.#store.disable();
    for (const binder of this.#binders) binder.stop();
    return this;
  }

  /*
   * What `channel.bindStore(manager, ...)` of `node:diagnostics_channel` needs, and with it the
   * methods of an `AsyncLocalStorage` whose values are contexts.
   */

  /** The active context, or undefined where none was activated. */
  getStore(): Context | undefined {
    return this.#store.active();
  }

  /** Calls `fn` with `args` in `context`. */
  run<Args extends unknown[], Result>(
    context: Context,
    fn: (...args: Args) => Result,
    ...args: Args
  ): Result {
    return this.with(context, fn as (...args: unknown[]) => Result, undefined, ...args);
  }

  /** Makes `context` active for the rest of the current execution. It cannot be undone. */
  enterWith(context: Context | undefined): void {
    if (context !== undefined && (typeof context !== 'object' || context === null)) {
      sayNoContext('enterWith', context);
    } else {
      this.#store.enter(context);
    }
  }

  /** Same as `attach`, under the name that `AsyncLocalStorage` uses. */
  withScope(context: Context): ContextToken {
    return this.attach(context);
  }

  /** Does what can be done without a context, or without a function. */
  #withBadInput(context: unknown, fn: unknown, args: IArguments): unknown {
    if (typeof fn !== 'function') {
      sayOnce(
        'warn',
        'with:function',
        `with() needs a function to call, got ${describeValue(fn)}. Nothing was called.`,
      );
      return undefined;
    }
    const given = contextFor('with', context);
    const all = Array.prototype.slice.call(args, 3);
    if (given === undefined) return Reflect.apply(fn as AnyFunction, args[2], all);
    return this.#store.run(given, fn as AnyFunction, args[2], 3, undefined, undefined, all);
  }
}

/**
 * Returns the context to activate for `value`: the root context if there is none, as with
 * OpenTelemetry's managers, which is logged once per method. Returns undefined for a value that is
 * not a context, which is logged, too.
 */
function contextFor(method: string, value: unknown): Context | undefined {
  if (typeof value === 'object' && value !== null) return value as Context;
  if (value !== undefined && value !== null) {
    sayNoContext(method, value);
    return undefined;
  }
  sayOnce(
    'warn',
    `${method}:none`,
    `${method}() needs a context, got ${describeValue(value)}. The root context is used, under ` +
      'which new spans have no parent.',
  );
  return ROOT_CONTEXT;
}

function sayNoContext(method: string, value: unknown): void {
  sayOnce(
    'warn',
    `${method}:context`,
    `${method}() needs a context, got ${describeValue(value)}. The active context stays as it is.`,
  );
}

function isEmitter(target: unknown): boolean {
  try {
    return target instanceof EventEmitter;
  } catch {
    // A proxy that does not let its prototype be seen.
    return false;
  }
}
