import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import type { Undo } from '../base/patch.ts';
import type { Instrumentation } from './instrumentation.ts';
import type { ModuleExports } from './module-hooks.ts';
import { PatchedModules, type PatchableModule } from './patched-modules.ts';
import type { Providers } from './recorder/providers.ts';
import { VERSION } from './version.ts';

/** One module of a library, patched for whatever records (`Recorder`) what the library does. */
export interface LibraryModule<Recorder> {
  /** The package, or a file inside it as `package/path`. */
  readonly module: string;
  /** The supported versions as a semver range with an upper bound. */
  readonly versions: string;
  /**
   * Patches the classes it finds in `exports` and returns the undo; `undefined` where it knows
   * none of them. The same classes may come more than once: see `claim`. A module that is one
   * function can only be patched with `replace`, which is not there for `instrument(module)`.
   */
  patch(
    exports: ModuleExports,
    recorder: Recorder,
    replace?: (replacement: ModuleExports) => void,
  ): Undo | undefined;
}

/** The modules of a library with their recorder. */
export function modulesFor<Recorder>(
  modules: readonly LibraryModule<Recorder>[],
  recorder: Recorder,
): PatchableModule[] {
  return modules.map((found) => ({
    module: found.module,
    versions: found.versions,
    patch: (exports, replace) => found.patch(exports, recorder, replace),
  }));
}

/** The instrumentation of a library whose modules are patched where they are loaded. */
export abstract class LibraryInstrumentation<
  Config extends { enabled?: boolean },
> implements Instrumentation<Config> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #modules: PatchedModules;
  /** Missing where an instrumentation makes no spans of its own. */
  readonly #providers: Providers | undefined;
  #config: Config;
  /** Called with a module of the library that arrives, before it is patched. @internal */
  onArrival: ((exports: ModuleExports) => void) | undefined;

  constructor(
    name: string,
    modules: readonly PatchableModule[],
    config: Config,
    providers?: Providers,
  ) {
    this.instrumentationName = scopeOf(name);
    this.#config = config;
    this.#providers = providers;
    this.#modules = new PatchedModules(name, modules, (exports) => this.onArrival?.(exports));
  }

  /** Applies a configuration; one that cannot be used is an `ERR_OPTION`. */
  protected abstract configure(config: Config): void;

  enable(): void {
    if (this.#config.enabled !== false) this.#modules.enable();
  }

  disable(): void {
    this.#modules.disable();
  }

  instrument(exports: ModuleExports): Undo {
    return this.#modules.instrument(exports);
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#providers?.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#providers?.setMeterProvider(provider);
  }

  setConfig(config: Config): void {
    this.configure(config);
    this.#config = config;
  }

  getConfig(): Config {
    return { ...this.#config, enabled: this.#modules.isEnabled };
  }
}

/** The instrumentation scope of a library. */
export function scopeOf(name: string): string {
  return `clew/${name}`;
}
