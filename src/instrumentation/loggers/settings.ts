import type { ClewError } from '../../base/errors.ts';
import { readSwitch, SettingsReader, type Environment } from '../../base/settings-reader.ts';
import { logFieldsOf, type LogFields } from './log-fields.ts';

/** What logs get of the active span. */
export interface LogSettings {
  /** The fields of loggers; undefined where they get none. */
  readonly fields: LogFields | undefined;
  /** Whether lines of the global console get them, too. */
  readonly console: boolean;
}

/** Reads `CLEW_LOG_FIELDS` and `CLEW_LOG_CONSOLE`. */
export function readLogSettings(env: Environment): {
  settings: LogSettings;
  problems: ClewError[];
} {
  const reader = new SettingsReader(env);
  const names = reader.text('CLEW_LOG_FIELDS');
  const isOff = names !== undefined && (readSwitch(names) === false || /^none$/i.test(names));
  const settings = {
    fields: isOff ? undefined : names === undefined ? {} : logFieldsOf(names.split(',')),
    console: reader.toggle('CLEW_LOG_CONSOLE', false),
  };
  return { settings, problems: reader.problems };
}
