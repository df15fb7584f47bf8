import { optionError } from '../../base/errors.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { PatchedModules } from '../patched-modules.ts';
import type { ModuleExports } from '../module-hooks.ts';
import type { Undo } from '../../base/patch.ts';
import { VERSION } from '../version.ts';
import { activeSpanFields, resolveLogFields, type LogFields } from './log-fields.ts';
import type { LoggerDefinition } from './logger.ts';

/** The configuration of a logger's instrumentation. */
export interface LoggerConfig {
  /** Whether lines get the fields. Default: true. */
  enabled?: boolean;
  /** The names of the fields. */
  fields?: LogFields;
}

/**
 * The instrumentation of one logging library: its lines carry the ids of the active span. A line that
 * has such a field already keeps it.
 */
export class LoggerInstrumentation implements Instrumentation<LoggerConfig> {
  readonly instrumentationName: string;
  readonly instrumentationVersion: string = VERSION;
  readonly #modules: PatchedModules;
  #config: LoggerConfig;
  #fields: Required<LogFields>;

  constructor(logger: LoggerDefinition, config: LoggerConfig = {}) {
    this.instrumentationName = `clew/${logger.name}`;
    this.#config = checked(config);
    this.#fields = resolveLogFields(config.fields ?? {});
    const read = (): [string, string][] | undefined => activeSpanFields(this.#fields);
    this.#modules = new PatchedModules(
      logger.name,
      logger.modules.map((module) => ({
        module: module.module,
        versions: module.versions,
        patch: (exports) => module.patch(exports, read),
      })),
    );
  }

  enable(): void {
    if (this.#config.enabled !== false) this.#modules.enable();
  }

  disable(): void {
    this.#modules.disable();
  }

  instrument(exports: ModuleExports): Undo {
    return this.#modules.instrument(exports);
  }

  setTracerProvider(): void {
    // Lines carry the ids of whatever span is active.
  }

  setMeterProvider(): void {
    // Nothing is measured.
  }

  setConfig(config: LoggerConfig): void {
    this.#fields = resolveLogFields(checked(config).fields ?? {});
    this.#config = config;
  }

  getConfig(): LoggerConfig {
    return { ...this.#config, enabled: this.#modules.isEnabled };
  }
}

function checked(config: LoggerConfig): LoggerConfig {
  for (const key of Object.keys(config)) {
    if (key !== 'enabled' && key !== 'fields') {
      throw optionError('config', 'made of enabled, fields', key);
    }
  }
  return config;
}
