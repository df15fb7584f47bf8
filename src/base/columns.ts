import { environment } from './environment.ts';

/** Narrower than this nothing is laid out, and wider no line is read with ease. */
const [MIN_COLUMNS, MAX_COLUMNS] = [36, 160];
const IN_A_PIPE = 80;

/**
 * Returns how many columns a command may use of a stream: `COLUMNS` where that is set, as POSIX has
 * it, else the terminal's width, else 80.
 */
export function columnsOf({ columns }: { readonly columns?: number | undefined }): number {
  const asked = environment()['COLUMNS'] ?? '';
  const width = /^[1-9]\d{0,4}$/.test(asked) ? Number(asked) : columns || IN_A_PIPE;
  return Math.min(Math.max(width, MIN_COLUMNS), MAX_COLUMNS);
}
