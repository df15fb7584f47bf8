import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

import type { Undo } from '../base/patch.ts';
import type { ModuleExports } from './module-hooks.ts';

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
