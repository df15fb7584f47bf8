import { sayOnce } from '../base/log.ts';
import { hookImports } from './imports/import-hooks.ts';
import { onModule, type ModuleExports } from './module-hooks.ts';
import type { Undo } from './patch.ts';

/** A module of a library, and how its exports are patched. */
export interface PatchableModule {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /** Patches `exports` and returns the undo; `undefined` where it knows nothing in them. */
  patch(exports: ModuleExports, replace?: (replacement: ModuleExports) => void): Undo | undefined;
}

/** The modules of one library: patched where they are loaded from `enable` to `disable`, or by hand. */
export class PatchedModules {
  readonly #name: string;
  readonly #modules: readonly PatchableModule[];
  readonly #onArrival: ((exports: ModuleExports) => void) | undefined;
  #undos: Undo[] | undefined;

  /** `onArrival` is called with a module before it is patched. */
  constructor(
    name: string,
    modules: readonly PatchableModule[],
    onArrival?: (exports: ModuleExports) => void,
  ) {
    this.#name = name;
    this.#modules = modules;
    this.#onArrival = onArrival;
  }

  get isEnabled(): boolean {
    return this.#undos !== undefined;
  }

  enable(): void {
    if (this.#undos) return;
    this.#undos = this.#modules.map((module) =>
      onModule({
        module: module.module,
        versions: module.versions,
        patch: (exports, _version, replace) => {
          this.#onArrival?.(exports);
          return module.patch(exports, replace);
        },
      }),
    );
    this.#undos.push(hookImports());
  }

  disable(): void {
    const undos = this.#undos ?? [];
    this.#undos = undefined;
    for (const undo of undos.toReversed()) undo();
  }

  /** Patches what `import * as library` gives. Where it knows nothing in it, one line says so. */
  instrument(exports: ModuleExports): Undo {
    const undos: Undo[] = [];
    const isModule =
      (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
    for (const module of isModule ? this.#modules : []) {
      const undo = module.patch(exports);
      if (undo) undos.push(undo);
    }
    if (undos.length === 0) {
      sayOnce(
        'warn',
        `instrument:${this.#name}`,
        `what was given to instrument() is not ${this.#name}, or is instrumented already.`,
      );
    }
    const undoAll = (): void => {
      for (const undo of undos.splice(0).toReversed()) undo();
    };
    this.#undos?.push(undoAll);
    return undoAll;
  }
}
