import { Hook } from 'require-in-the-middle';

import { patchMethod, type Undo } from '../../base/patch.ts';
import type { Frame } from '../record.ts';
import { loadedPackages } from './loaded-modules.ts';
import { captureStack, readFrames } from './stack.ts';

const PACKAGE = '@opentelemetry/instrumentation';
const MAX_INSTRUMENTATIONS = 500;

/** An OpenTelemetry instrumentation's definition of a module that it patches. */
export interface ModuleDefinition {
  readonly name: string;
  readonly supportedVersions?: readonly string[];
  readonly patch?: unknown;
  /** Set when the module was loaded in a supported version. */
  readonly moduleExports?: unknown;
  readonly files?: readonly { readonly moduleExports?: unknown }[];
}

interface Instrumentation {
  readonly instrumentationName?: string;
  getModuleDefinitions?(): readonly ModuleDefinition[];
  enable(): void;
}

/** An instrumentation that was enabled, and the modules that were already loaded. */
export interface Enabled {
  readonly name: string;
  readonly modules: readonly ModuleDefinition[];
  /** Packages it patches that were already loaded. */
  readonly late: readonly string[];
  /** Where it was enabled, if too late. */
  readonly stack: readonly Frame[];
}

/** Watches which OpenTelemetry instrumentations are enabled, and whether each was in time. */
export class InstrumentationWatch {
  readonly enabled: Enabled[] = [];
  readonly #undos: Undo[] = [];
  #loaded: { size: number; names: ReadonlySet<string> } = { size: -1, names: new Set() };

  start(): void {
    const hook = new Hook([PACKAGE], { internals: false }, (exports) => {
      this.#patch(exports as { InstrumentationBase?: { prototype: Instrumentation } });
      return exports;
    });
    this.#undos.push(() => hook.unhook());
  }

  stop(): void {
    for (const undo of this.#undos.splice(0).toReversed()) undo();
  }

  #patch({
    InstrumentationBase: base,
  }: {
    InstrumentationBase?: { prototype: Instrumentation };
  }): void {
    if (!base) return;
    const enabled = (instrumentation: Instrumentation): void => this.#found(instrumentation);
    const undo = patchMethod(base.prototype, 'enable', (original) => {
      return function enable(this: Instrumentation) {
        enabled(this);
        return original.call(this);
      };
    });
    if (undo) this.#undos.push(undo);
  }

  #found(instrumentation: Instrumentation): void {
    try {
      const { instrumentationName: name = 'an instrumentation' } = instrumentation;
      const modules = instrumentation.getModuleDefinitions?.() ?? [];
      if (this.enabled.length >= MAX_INSTRUMENTATIONS || modules.length === 0) return;
      if (this.enabled.some((known) => known.modules === modules)) return;
      const loaded = this.#wholePackages();
      const late = modules.map((module) => module.name).filter((module) => loaded.has(module));
      const stack = late.length > 0 ? readFrames(captureStack()) : [];
      this.enabled.push({ name, modules, late: [...new Set(late)], stack });
    } catch {
      // Must not throw into the application.
    }
  }

  /** Instrumentations are enabled one after the other, with little loaded in between. */
  #wholePackages(): ReadonlySet<string> {
    const packages = loadedPackages();
    if (packages.length !== this.#loaded.size) {
      const names = new Set(packages.filter(({ isWhole }) => isWhole).map(({ name }) => name));
      this.#loaded = { size: packages.length, names };
    }
    return this.#loaded.names;
  }
}

/** Whether a module was patched, or a file of it. */
export function isPatched({ moduleExports, files = [] }: ModuleDefinition): boolean {
  return moduleExports !== undefined || files.some((file) => file.moduleExports !== undefined);
}
