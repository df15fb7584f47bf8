import type { RequestReport } from './async-resource-tracer.ts';

/** What every line on stderr begins with. */
const PREFIX = 'clew: ';

/** Where a request's time went, in one line. */
export function requestLine({ label, split }: RequestReport): string {
  const { totalMillis, runMillis, ioMillis, loopMillis, blockedBy } = split;
  const blame = blockedBy ? ` (${blockedBy.label} ${millis(blockedBy.millis)})` : '';
  return (
    `${label}  ${millis(totalMillis)} ms: running ${millis(runMillis)}, ` +
    `waiting for I/O ${millis(ioMillis)}, loop busy with others ${millis(loopMillis)}${blame}`
  );
}

/** The line, in two where a terminal of so many columns is too narrow for it. */
export function fitLine(line: string, columns: number | undefined): string[] {
  if (columns === undefined || PREFIX.length + line.length <= columns) return [line];
  const at = line.indexOf(' loop busy');
  return [line.slice(0, at), ` ${line.slice(at)}`];
}

function millis(value: number): string {
  return value.toFixed(1);
}
