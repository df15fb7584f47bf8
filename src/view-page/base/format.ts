/** A duration for a person: three digits that count, in the unit that suits. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 0.0995) return `${(ms * 1000).toFixed(size < 0.00095 ? 2 : 0)} µs`;
  if (size < 999.5) return `${digits(ms)} ms`;
  if (size < 60_000) return `${digits(ms / 1000)} s`;
  const seconds = Math.round(size / 1000);
  return `${ms < 0 ? '-' : ''}${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A difference, with its sign. */
export function difference(ms: number): string {
  return ms > 0 ? `+${duration(ms)}` : duration(ms).replace('-', '−');
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

const TIME = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const DATE = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** The time of day with milliseconds, in the reader's time zone. */
export function clock(epochMs: number): string {
  return isDate(epochMs) ? TIME.format(epochMs) : '?';
}

export function dateAndTime(epochMs: number): string {
  return isDate(epochMs) ? DATE.format(epochMs) : 'at an impossible time';
}

/** Formatting a time beyond what a Date holds throws. */
function isDate(epochMs: number): boolean {
  return Math.abs(epochMs) <= 8.64e15;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function number(value: number): string {
  return value.toLocaleString('en');
}

/** A file's last two folders and its name: what tells it from others, without the home of somebody. */
export function shortFile(file: string): string {
  const parts = file.split(/[\\/]/);
  return parts.length > 3 ? `…/${parts.slice(-3).join('/')}` : file;
}

/** An attribute's value as text; structure as JSON. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 1);
}
