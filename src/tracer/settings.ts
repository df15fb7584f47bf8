import { constants } from 'node:os';

import { optionError, type ClewError } from '../base/errors.ts';
import { TRACER_LEVELS, type TracerLevel } from './record.ts';
import type { TracingSettings } from './tracing.ts';

/**
 * Reads the tracer's settings from the environment. A bad value is added to `problems` and the
 * default is used.
 *
 * `CLEW_TRACER` (off, watch, trace, deep), `CLEW_RESOURCE_SPANS` (0 to 1), `CLEW_RECORD_SECRET`,
 * `CLEW_RECORD_FOLDER`, `CLEW_RECORD_SIGNAL`.
 */
export function readTracingSettings(env: Readonly<Record<string, string | undefined>>): {
  settings: TracingSettings;
  problems: ClewError[];
} {
  const problems: ClewError[] = [];
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const level = text('CLEW_TRACER')?.toLowerCase() ?? 'off';
  if (!isLevel(level)) {
    problems.push(optionError('CLEW_TRACER', `one of ${TRACER_LEVELS.join(', ')}`, level));
  }
  const share = Number(text('CLEW_RESOURCE_SPANS') ?? 0);
  const hasShare = share >= 0 && share <= 1;
  if (!hasShare) {
    problems.push(optionError('CLEW_RESOURCE_SPANS', 'a number from 0 to 1', share));
  }
  const signal = text('CLEW_RECORD_SIGNAL')?.toUpperCase();
  const recordSignal = signal !== undefined && isSignal(signal) ? signal : undefined;
  if (signal !== undefined && recordSignal === undefined) {
    problems.push(optionError('CLEW_RECORD_SIGNAL', 'a signal that can be caught', signal));
  }
  const settings: TracingSettings = {
    level: isLevel(level) ? level : 'off',
    resourceSpans: hasShare ? share : 0,
    recordSecret: text('CLEW_RECORD_SECRET'),
    recordFolder: text('CLEW_RECORD_FOLDER') ?? '.',
    recordSignal,
  };
  return { settings, problems };
}

function isLevel(text: string): text is TracerLevel {
  return (TRACER_LEVELS as readonly string[]).includes(text);
}

function isSignal(text: string): text is NodeJS.Signals {
  return text in constants.signals && text !== 'SIGKILL' && text !== 'SIGSTOP';
}
