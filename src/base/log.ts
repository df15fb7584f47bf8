import { fold } from './fold.ts';
import { plainText } from './plain-text.ts';

/*
 * Lines for a person, on stderr, each beginning with `clew:`. The set holds the causes that were
 * said; it is bounded, and once full a cause may be said again rather than the set grow.
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
  return RANK[level] <= threshold;
}

/** The lines that stderr has not taken yet. */
let underWay = 0;

/**
 * Writes one line; text of others in it is made harmless by `plainText`. Never throws, now or later:
 * where the reader of stderr is gone, a write makes the stream emit an error, which ends a process
 * that does not listen for it.
 */
export function say(level: Exclude<LogLevel, 'none'>, message: string): void {
  if (RANK[level] > threshold) return;
  try {
    const { stderr } = process;
    if (underWay++ === 0) stderr.on('error', swallow);
    stderr.write(`clew: ${plainText(message)}\n`, () => {
      // The error is emitted after this.
      setImmediate(() => {
        if (--underWay === 0) stderr.off('error', swallow);
      }).unref();
    });
  } catch {
    // Nobody is left to be told.
  }
}

function swallow(): void {
  // No reader is left.
}

/** Writes one line the first time `cause` is seen, and nothing after that. */
export function sayOnce(level: Exclude<LogLevel, 'none'>, cause: string, message: string): void {
  if (firstTime(cause)) say(level, message);
}

function firstTime(cause: string): boolean {
  if (said.has(cause)) return false;
  if (said.size >= MAX_CAUSES) said.clear();
  said.add(cause);
  return true;
}

/**
 * `sayOnce` for what is longer than a line of 80 columns: it is broken into several. Returns whether
 * `cause` was seen the first time.
 */
export function sayOnceFolded(
  level: Exclude<LogLevel, 'none'>,
  cause: string,
  message: string,
): boolean {
  const isFirst = firstTime(cause);
  if (isFirst) for (const line of fold(plainText(message))) say(level, line);
  return isFirst;
}

/** Forgets what was said, so that a test can hear it again. @internal */
export function forgetWhatWasSaid(): void {
  said.clear();
}
