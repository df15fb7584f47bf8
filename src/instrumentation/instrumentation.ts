import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import type { ClientDefinition } from './client.ts';
import { checkOptionsOf, type ClientName } from './client-options.ts';
import { resolveClientConfig, type ClientConfig } from './client-config.ts';
import type { ModuleExports } from './module-hooks.ts';
import { PatchedModules } from './patched-modules.ts';
import type { Undo } from '../base/patch.ts';
import { Recorder } from './recorder/recorder.ts';
import { VERSION } from './version.ts';

/**
 * The instrumentation of one library. It implements the interface `Instrumentation` of
 * `@opentelemetry/instrumentation`, so `registerInstrumentations` accepts it; that package need not be
 * installed for its types.
 *
 * Nothing is patched before `enable`. Unlike OpenTelemetry's own base class the constructor does
 * not call it: whoever made the object enables it, and `registerInstrumentations` does.
 */
export interface Instrumentation<Config extends object = object> {
  /** `clew/` and the name of the library; the scope of its spans. */
  readonly instrumentationName: string;
  readonly instrumentationVersion: string;
  /** Patches the library wherever it is loaded from now on, and where it is loaded already. */
  enable(): void;
  /** Takes every patch out again. */
  disable(): void;
  /**
   * Patches a library by hand, for applications that are bundled into one file. Give it what
   * `import * as pg from 'pg'` gives; the undo takes the patches out.
   */
  instrument(exports: ModuleExports): Undo;
  setTracerProvider(provider: TracerProvider): void;
  setMeterProvider(provider: MeterProvider): void;
  /** Takes effect for what starts from now on. A configuration that is no good is an `ERR_OPTION`. */
  setConfig(config: Config): void;
  /** The configuration; `enabled` says whether it is, by which `registerInstrumentations` goes. */
  getConfig(): Config & { enabled?: boolean };
}

/** The instrumentation of one client library. */
export class ClientInstrumentation implements Instrumentation<ClientConfig> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #modules: PatchedModules;
  readonly #recorder: Recorder;
  readonly #requireParent: boolean | 'housekeeping';
  readonly #client: ClientName;
  #config: ClientConfig;
  /** Called with a module of the library that arrives, before it is patched. @internal */
  onArrival: ((exports: ModuleExports) => void) | undefined;

  /** `requireParent` is the default in place of the client's own. */
  constructor(
    client: ClientDefinition,
    config: ClientConfig = {},
    requireParent: boolean | undefined = client.requireParent,
  ) {
    this.instrumentationName = `clew/${client.name}`;
    this.#client = client.name as ClientName;
    this.#config = config;
    this.#requireParent = requireParent ?? 'housekeeping';
    this.#recorder = new Recorder(
      this.instrumentationName,
      VERSION,
      resolveClientConfig(config, this.#requireParent),
      client.responses,
    );
    this.#modules = new PatchedModules(
      client.name,
      client.modules.map((module) => ({
        module: module.module,
        versions: module.versions,
        patch: (exports, replace) => module.patch(exports, this.#recorder, replace),
      })),
      (exports) => this.onArrival?.(exports),
    );
  }

  enable(): void {
    if (this.#recorder.config.enabled) this.#modules.enable();
  }

  disable(): void {
    this.#modules.disable();
  }

  instrument(exports: ModuleExports): Undo {
    return this.#modules.instrument(exports);
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#recorder.providers.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#recorder.providers.setMeterProvider(provider);
  }

  setConfig(config: ClientConfig): void {
    checkOptionsOf(this.#client, config);
    this.#recorder.config = resolveClientConfig(config, this.#requireParent);
    this.#config = config;
  }

  getConfig(): ClientConfig {
    return { ...this.#config, enabled: this.#modules.isEnabled };
  }
}
