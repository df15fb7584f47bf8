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

/** Writes one line. Never throws: a closed stderr must not reach the application. */
export function say(level: Exclude<LogLevel, 'none'>, message: string): void {
  if (RANK[level] > threshold) return;
  try {
    process.stderr.write(`clew: ${message.replace(/\s*\n\s*/g, ' ')}\n`);
  } catch {
    // Nobody is left to be told.
  }
}

/** Writes one line the first time `cause` is seen, and nothing after that. */
export function sayOnce(level: Exclude<LogLevel, 'none'>, cause: string, message: string): void {
  if (said.has(cause)) return;
  if (said.size >= MAX_CAUSES) said.clear();
  said.add(cause);
  say(level, message);
}

/** Forgets what was said, so that a test can hear it again. @internal */
export function forgetWhatWasSaid(): void {
  said.clear();
}
