import { sayOnce } from '../base/log.ts';
import { noteSetup, type NotedModule } from '../base/setup-notes.ts';
import { hookImports } from './imports/import-hooks.ts';
import { packageOf } from './imports/wanted-modules.ts';
import { onModule, type ModuleExports } from './module-hooks.ts';
import type { Undo } from '../base/patch.ts';

/** A module of a library, and how its exports are patched. */
export interface PatchableModule {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /** Patches `exports` and returns the undo; `undefined` where it knows nothing in them. */
  patch(exports: ModuleExports, replace?: (replacement: ModuleExports) => void): Undo | undefined;
}

/** The versions of the libraries that were patched as they were loaded, by the names of their instrumentations. */
const versions = new Map<string, string>();
const listeners = new Set<() => void>();

/** The version of each library that was patched as it was loaded, by the name in configuration. */
export function patchedLibraries(): ReadonlyMap<string, string> {
  return versions;
}

/** Calls `listener` whenever another library was patched. */
export function onPatchedLibrary(listener: () => void): Undo {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The modules of one library: patched where they are loaded from `enable` to `disable`, or by hand. */
export class PatchedModules {
  readonly #name: string;
  readonly #modules: readonly PatchableModule[];
  /** The same, as the doctor sees them. */
  readonly #noted: readonly NotedModule[];
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
    this.#noted = modules.map(({ module, versions }) => {
      return { name: packageOf(module), supportedVersions: [versions] };
    });
    this.#onArrival = onArrival;
  }

  get isEnabled(): boolean {
    return this.#undos !== undefined;
  }

  enable(): void {
    if (this.#undos) return;
    const instrumentation = `clew/${this.#name}`;
    noteSetup({ kind: 'modules', instrumentation, modules: this.#noted });
    this.#undos = this.#modules.map((module, index) =>
      onModule({
        module: module.module,
        versions: module.versions,
        patch: (exports, version, replace) => {
          this.#onArrival?.(exports);
          this.#note(index);
          const undo = module.patch(exports, replace);
          // Without an undo another library's instrumentation may have done it: express has `router`.
          if (!versions.has(this.#name)) {
            versions.set(this.#name, version);
            for (const listener of listeners) listener();
          }
          return undo;
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

  #note(index: number): void {
    const noted = this.#noted[index];
    if (noted) noted.moduleExports = true;
  }

  /** Patches what `import * as library` gives. Where it knows nothing in it, one line says so. */
  instrument(exports: ModuleExports): Undo {
    const undos: Undo[] = [];
    const isModule =
      (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
    for (const [index, module] of isModule ? this.#modules.entries() : []) {
      const undo = module.patch(exports);
      if (!undo) continue;
      this.#note(index);
      undos.push(undo);
    }
    if (undos.length === 0) {
      sayOnce(
        'warn',
        `instrument:${this.#name}`,
        `the argument of instrument() is not ${this.#name}, or is already instrumented.`,
      );
    }
    const undoAll = (): void => {
      for (const undo of undos.splice(0).toReversed()) undo();
    };
    this.#undos?.push(undoAll);
    return undoAll;
  }
}
