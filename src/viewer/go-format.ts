/*
 * Durations and times as Go prints them, because Jaeger's warnings hold them.
 */

/** Nanoseconds as Go's `time.Duration` prints them: `1.5ms`, `-2m0.25s`, `1h0m5s`. */
export function goDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = decimal(size % 60_000_000_000n, 9);
  if (minutes === 0n) return `${sign}${seconds}s`;
  const hours = minutes / 60n;
  return `${sign}${hours > 0n ? `${hours}h` : ''}${minutes % 60n}m${seconds}s`;
}

/** Nanoseconds since 1970 as Go's `time.Time` prints them in UTC. */
export function goTime(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000n)).toISOString();
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${date.slice(0, 10)} ${date.slice(11, 19)}${fraction && `.${fraction}`} +0000 UTC`;
}

/** A duration as Go's `time.ParseDuration` reads it, in nanoseconds; undefined: it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  if (!/^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/.test(text) || text.length > 60) {
    return text === '0' ? 0n : undefined;
  }
  let sum = 0;
  let rest = text;
  while (rest !== '') {
    const [all, number, unit] = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest) ?? [];
    if (all === undefined) return undefined;
    sum += Number(number) * (UNITS[unit as keyof typeof UNITS] ?? 0);
    rest = rest.slice(all.length);
  }
  return Number.isSafeInteger(Math.round(sum)) ? BigInt(Math.round(sum)) : undefined;
}

const UNITS = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 } as const;

function decimal(value: bigint, digits: number): string {
  const text = String(value).padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return text.slice(0, -digits) + (fraction && `.${fraction}`);
}
