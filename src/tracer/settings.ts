import { constants } from 'node:os';

import type { ClewError } from '../base/errors.ts';
import { SettingsReader, type Environment } from '../base/settings-reader.ts';
import { TRACER_LEVELS } from './record.ts';
import type { TracingSettings } from './tracing.ts';

/**
 * Reads the tracer's settings from the environment. A bad value is added to `problems` and the
 * default is used.
 *
 * `CLEW_TRACER` (off, watch, trace, deep), `CLEW_RESOURCE_SPANS` (0 to 1), `CLEW_RECORD_SECRET`,
 * `CLEW_RECORD_FOLDER`, `CLEW_RECORD_SIGNAL`.
 */
export function readTracingSettings(env: Environment): {
  settings: TracingSettings;
  problems: ClewError[];
} {
  const reader = new SettingsReader(env);
  const level = reader.choice('CLEW_TRACER', TRACER_LEVELS, 'off');
  const resourceSpans = reader.ratio('CLEW_RESOURCE_SPANS', 0);
  const signal = reader.text('CLEW_RECORD_SIGNAL')?.toUpperCase();
  const recordSignal = signal !== undefined && isSignal(signal) ? signal : undefined;
  if (signal !== undefined && recordSignal === undefined) {
    reader.refuse(
      'CLEW_RECORD_SIGNAL',
      'a signal that can be caught',
      signal,
      'none is listened for',
    );
  }
  const settings: TracingSettings = {
    level,
    resourceSpans,
    recordSecret: reader.text('CLEW_RECORD_SECRET'),
    recordFolder: reader.text('CLEW_RECORD_FOLDER') ?? '.',
    recordSignal,
  };
  return { settings, problems: reader.problems };
}

function isSignal(text: string): text is NodeJS.Signals {
  return text in constants.signals && text !== 'SIGKILL' && text !== 'SIGSTOP';
}
