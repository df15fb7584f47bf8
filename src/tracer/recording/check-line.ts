/*
 * Checks that a line of a recording has the structure that the rest of the code relies on: a file
 * may be damaged, or written by another program.
 */

/** A flat record has at least these fields; a time may follow for each flag, then the slices. */
const FIXED_COLUMNS = 10;

export function isHeader(value: unknown): boolean {
  const { node, pid, timeOrigin, program, startedAt } = asObject(value);
  const texts = typeof node === 'string' && typeof program === 'string';
  return texts && [pid, timeOrigin, startedAt].every(isPlainNumber);
}

export function isGroup(head: unknown, rows: unknown): boolean {
  const { root, at, dropped, owner } = asObject(head);
  if (!isNumbers(root, 3) || !isNumbers(at, 2) || !Number.isSafeInteger(dropped)) return false;
  if (owner !== undefined && !isOwner(owner)) return false;
  return Array.isArray(rows) && rows.every((row) => isNumbers(row, FIXED_COLUMNS));
}

function isOwner(value: unknown): boolean {
  const { label, traceId, spanId, endedAt } = asObject(value);
  if (endedAt !== undefined && !isPlainNumber(endedAt)) return false;
  return Number.isSafeInteger(label) && [traceId, spanId].every(isTextOrMissing);
}

function isNumbers(value: unknown, least: number): boolean {
  return Array.isArray(value) && value.length >= least && value.every(Number.isSafeInteger);
}

function isPlainNumber(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isTextOrMissing(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
