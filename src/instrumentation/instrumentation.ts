import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import { sayOnce } from '../base/log.ts';
import type { ClientDefinition } from './client.ts';
import { resolveClientConfig, type ClientConfig } from './client-config.ts';
import { onModule, type ModuleExports } from './module-hooks.ts';
import type { Undo } from './patch.ts';
import { Recorder } from './recorder/recorder.ts';
import { VERSION } from './version.ts';

/**
 * The instrumentation of one client library, in the shape that `registerInstrumentations` of
 * `@opentelemetry/instrumentation` accepts.
 *
 * Nothing is patched before `enable`. Unlike OpenTelemetry's own base class the constructor does
 * not call it: whoever made the object enables it, and `registerInstrumentations` does.
 */
export class Instrumentation {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #client: ClientDefinition;
  readonly #recorder: Recorder;
  #config: ClientConfig;
  #undos: Undo[] | undefined;

  constructor(client: ClientDefinition, config: ClientConfig = {}) {
    this.instrumentationName = `clew/${client.name}`;
    this.#client = client;
    this.#config = config;
    this.#recorder = new Recorder(
      this.instrumentationName,
      VERSION,
      resolveClientConfig(config),
      client.responses,
    );
  }

  /** Patches the library wherever it is loaded from now on, and where it is loaded already. */
  enable(): void {
    if (this.#undos || !this.#recorder.config.enabled) return;
    this.#undos = this.#client.modules.map((module) =>
      onModule({
        ...module,
        patch: (exports, _version, replace) => module.patch(exports, this.#recorder, replace),
      }),
    );
  }

  /** Takes every patch out again. */
  disable(): void {
    const undos = this.#undos ?? [];
    this.#undos = undefined;
    for (const undo of undos.toReversed()) undo();
  }

  /**
   * Patches a library by hand, for applications that are bundled into one file. Give it what
   * `import * as pg from 'pg'` gives; the undo takes the patches out.
   */
  instrument(exports: ModuleExports): Undo {
    const undos: Undo[] = [];
    const isModule =
      (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
    for (const module of isModule ? this.#client.modules : []) {
      const undo = module.patch(exports, this.#recorder);
      if (undo) undos.push(undo);
    }
    if (undos.length === 0) {
      sayOnce(
        'warn',
        `instrument:${this.#client.name}`,
        `what was given to instrument() is not ${this.#client.name}, or is instrumented already.`,
      );
    }
    const undoAll = (): void => {
      for (const undo of undos.splice(0).toReversed()) undo();
    };
    this.#undos?.push(undoAll);
    return undoAll;
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#recorder.providers.setTracerProvider(provider);
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#recorder.providers.setMeterProvider(provider);
  }

  /** Takes effect for the operations that start from now on. */
  setConfig(config: ClientConfig): void {
    this.#recorder.config = resolveClientConfig(config);
    this.#config = config;
  }

  /** The configuration; `enabled` says whether it is, by which `registerInstrumentations` goes. */
  getConfig(): ClientConfig {
    return { ...this.#config, enabled: this.#undos !== undefined };
  }
}
