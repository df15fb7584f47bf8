import type { ClewError } from '../../base/errors.ts';
import { SettingsReader, type Environment } from '../../base/settings-reader.ts';

/** What passes between this process and the threads and processes it starts, or was started by. */
export interface ProcessSettings {
  /** Whether children are given the context in which they are started. */
  readonly gives: boolean;
  /** Whether the start of this process or thread belongs to the context it was given. */
  readonly takes: boolean;
  /** How long that may be so, in milliseconds. */
  readonly maxAgeMillis: number;
  /** Whether messages carry the context in which they are sent, or have spans. */
  readonly messages: 'off' | 'on' | 'spans';
}

const HOUR_MILLIS = 3_600_000;

/** Reads `CLEW_PROCESS_CONTEXT`, `CLEW_PROCESS_CONTEXT_MAX_AGE` and `CLEW_MESSAGE_CONTEXT`. */
export function readProcessSettings(env: Environment): {
  settings: ProcessSettings;
  problems: ClewError[];
} {
  const reader = new SettingsReader(env);
  const mode = reader.choice('CLEW_PROCESS_CONTEXT', ['on', 'give', 'take', 'off'], 'on');
  const settings = {
    gives: mode === 'on' || mode === 'give',
    takes: mode === 'on' || mode === 'take',
    maxAgeMillis: reader.wholeNumber('CLEW_PROCESS_CONTEXT_MAX_AGE') ?? HOUR_MILLIS,
    messages: reader.choice('CLEW_MESSAGE_CONTEXT', ['on', 'off', 'spans'], 'off'),
  };
  return { settings, problems: reader.problems };
}
