import { optionError } from '../../base/errors.ts';
import { LibraryInstrumentation, modulesFor } from '../library-instrumentation.ts';
import { fieldsReader, resolveLogFields, type LogFields, type ReadFields } from './log-fields.ts';
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
export class LoggerInstrumentation extends LibraryInstrumentation<LoggerConfig> {
  readonly #reader: { read: ReadFields };

  constructor(logger: LoggerDefinition, config: LoggerConfig = {}) {
    const reader = { read: readerFor(config) };
    super(
      logger.name,
      modulesFor(logger.modules, () => reader.read()),
      config,
    );
    this.#reader = reader;
  }

  protected override configure(config: LoggerConfig): void {
    this.#reader.read = readerFor(config);
  }
}

function readerFor(config: LoggerConfig): ReadFields {
  return fieldsReader(resolveLogFields(checked(config).fields ?? {}));
}

function checked(config: LoggerConfig): LoggerConfig {
  for (const key of Object.keys(config)) {
    if (key !== 'enabled' && key !== 'fields') {
      throw optionError('config', 'made of enabled, fields', key);
    }
  }
  return config;
}
