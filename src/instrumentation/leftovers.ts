import type { Server } from 'node:http';
import Module from 'node:module';

import { http, isLoaded, loadHttps } from '../base/node-http.ts';
import { patchMethod, type Undo } from '../base/patch.ts';

/*
 * Takes out what OpenTelemetry's instrumentations leave behind once they are disabled: the hook on
 * `require` that all of them share, and a method of a prototype that was inherited before.
 */

/** That hook, as the base class of those instrumentations keeps it. */
interface SharedHook {
  register(...args: unknown[]): unknown;
  /** Hooks `require`. */
  _initialize(): void;
}

/** Made before the instrumentations of a start: it knows what was there before them. */
export class Leftovers {
  readonly #before = readLoading();
  /** The classes of servers that had a method of their own then; one that was not loaded had none. */
  readonly #own = serverPrototypes().filter((prototype) => Object.hasOwn(prototype, 'emit'));
  readonly #watched = new Map<SharedHook, Undo | undefined>();
  #hooked: Loading | undefined;
  #hasOtherUsers = false;
  #isRemoved = false;

  /** To be called once all instrumentations are made and enabled. */
  watch(instrumentations: readonly object[]): void {
    this.#hooked = readLoading();
    for (const instrumentation of instrumentations) {
      const { _requireInTheMiddleSingleton: hook } = instrumentation as Record<string, unknown>;
      if (!isSharedHook(hook) || this.#watched.has(hook)) continue;
      const onRegister = (): void => this.#onRegister();
      const undo = patchMethod(hook, 'register', (original) => {
        return function (this: SharedHook, ...args: unknown[]) {
          onRegister();
          return original.apply(this, args);
        };
      });
      this.#watched.set(hook, undo);
    }
  }

  /** To be called when they are disabled and our own hooks are taken out. */
  remove(): void {
    for (const prototype of serverPrototypes()) {
      if (this.#own.includes(prototype)) continue;
      const { emit: inherited } = Object.getPrototypeOf(prototype) as { emit?: unknown };
      if (prototype.emit === inherited) delete (prototype as Partial<Server>).emit;
    }
    if (this.#hasOtherUsers || !isSame(readLoading(), this.#hooked)) {
      this.#unwatch();
      return;
    }
    if (this.#before.require) {
      Object.assign(Module.prototype, { require: this.#before.require });
    }
    if (this.#before.getBuiltinModule) {
      Object.assign(process, { getBuiltinModule: this.#before.getBuiltinModule });
    }
    this.#isRemoved = true;
  }

  /** Another instrumentation asks for `require` to be hooked. */
  #onRegister(): void {
    this.#hasOtherUsers = true;
    if (!this.#isRemoved) return;
    const hooks = [...this.#watched.keys()];
    this.#unwatch();
    for (const hook of hooks) hook._initialize();
  }

  #unwatch(): void {
    for (const undo of this.#watched.values()) undo?.();
    this.#watched.clear();
  }
}

/**
 * The methods on which such hooks sit. Not every Node has the second; in the VM pools of vitest the
 * first is a getter that throws.
 */
interface Loading {
  require: unknown;
  getBuiltinModule: unknown;
}

function readLoading(): Loading {
  const { getBuiltinModule } = process as unknown as Partial<Loading>;
  const require: unknown = Object.getOwnPropertyDescriptor(Module.prototype, 'require')?.value;
  return { require, getBuiltinModule };
}

function isSame(one: Loading, other: Loading | undefined): boolean {
  return one.require === other?.require && one.getBuiltinModule === other?.getBuiltinModule;
}

function isSharedHook(value: unknown): value is SharedHook {
  const hook = value as Partial<SharedHook> | undefined;
  return typeof hook?.register === 'function' && typeof hook._initialize === 'function';
}

/** Of those modules that are loaded. */
function serverPrototypes(): Server[] {
  const modules = isLoaded('https') ? [http, loadHttps()] : [http];
  return modules.map(({ Server: { prototype } }) => prototype as Server);
}
