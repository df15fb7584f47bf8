import { setImmediate } from 'node:timers';

import { columnsOf } from './columns.ts';
import { diagLogger } from './diag.ts';
import { fold } from './fold.ts';
import { plainText } from './plain-text.ts';

/*
 * Logs lines that begin with `clew:`, to the logger of OpenTelemetry's `diag` if one is set, which
 * filters them by its own level, or else to stderr. The set holds the causes that were logged. It
 * is bounded: once it is full it is cleared, and a cause may be logged again.
 */
const MAX_CAUSES = 1000;
const said = new Set<string>();

export type LogLevel = 'none' | 'error' | 'warn' | 'info' | 'debug';

const RANK: Record<LogLevel, number> = { none: 0, error: 1, warn: 2, info: 3, debug: 4 };
let threshold = RANK.info;

/** Lets lines of `level` and graver pass, and returns the level that held before. */
export function setLogLevel(level: LogLevel): LogLevel {
  const before = (Object.keys(RANK) as LogLevel[]).find((name) => RANK[name] === threshold);
  threshold = RANK[level];
  return before ?? 'info';
}

/** Whether a line of this level passes. */
export function willSay(level: Exclude<LogLevel, 'none'>): boolean {
  return RANK[level] <= threshold || (threshold !== RANK.none && diagLogger() !== undefined);
}

/** Whether a logger is running, which may itself do something that is logged. */
let isLogging = false;

/** Gives a line to OpenTelemetry's `diag`; false where it has no logger, or the logger fails. */
function logToDiag(level: Exclude<LogLevel, 'none'>, message: string): boolean {
  const logger = isLogging ? undefined : diagLogger();
  if (!logger) return false;
  isLogging = true;
  try {
    logger[level](`clew: ${plainText(message)}`);
    return true;
  } catch {
    return false;
  } finally {
    isLogging = false;
  }
}

/** The lines that stderr has not taken yet. */
let underWay = 0;

/** Logs one line: by `diag` where that has a logger, else on stderr. Never throws. */
export function say(level: Exclude<LogLevel, 'none'>, message: string): void {
  if (threshold === RANK.none) return;
  if (!logToDiag(level, message)) sayOnStderr(level, message);
}

/**
 * Writes one line (see `linesOf`) to stderr, for what a command prints; text of others in it is made
 * harmless by `plainText`. Never throws, now or later: where the reader of stderr is gone, a write
 * makes the stream emit an error, which ends a process that does not listen for it.
 */
export function sayOnStderr(level: Exclude<LogLevel, 'none'>, message: string): void {
  if (RANK[level] > threshold) return;
  try {
    const { stderr } = process;
    if (underWay++ === 0) stderr.on('error', swallow);
    stderr.write(linesOf(plainText(message), stderr), () => {
      // The error is emitted after this.
      setImmediate(() => {
        if (--underWay === 0) stderr.off('error', swallow);
      }).unref();
    });
  } catch {
    // stderr is closed; there is nowhere to report this.
  }
}

/**
 * One line, which a log can be searched for; in a terminal that is too narrow for it, several. What
 * is indented was laid out by its writer.
 */
function linesOf(text: string, stream: NodeJS.WriteStream): string {
  return foldedFor(stream, text)
    .map((line) => `clew: ${line}\n`)
    .join('');
}

/** The lines of a message: several only in a terminal that is too narrow for it. */
export function foldedFor(stream: NodeJS.WriteStream, text: string): string[] {
  const isTooLong = stream.isTTY && 'clew: '.length + text.length > stream.columns;
  return isTooLong && !text.startsWith(' ') ? fold(text, columnsOf(stream)) : [text];
}

function swallow(): void {
  // No reader is left.
}

/**
 * Writes one line the first time `cause` is seen, and nothing after that. Returns whether `cause` is
 * new.
 */
export function sayOnce(level: Exclude<LogLevel, 'none'>, cause: string, message: string): boolean {
  const isFirst = firstTime(cause);
  if (isFirst) say(level, message);
  return isFirst;
}

function firstTime(cause: string): boolean {
  if (said.has(cause)) return false;
  if (said.size >= MAX_CAUSES) said.clear();
  said.add(cause);
  return true;
}

/** Forgets the logged causes, so that a test can see a message again. @internal */
export function forgetWhatWasSaid(): void {
  said.clear();
}
