import type { RequestReport } from './async-resource-tracer.ts';

/** Where a request's time went, in one line. */
export function requestLine({ label, split }: RequestReport): string {
  const { totalMillis, runMillis, ioMillis, loopMillis, blockedBy } = split;
  const blame = blockedBy ? ` (${blockedBy.label} ${millis(blockedBy.millis)})` : '';
  return (
    `${label}  ${millis(totalMillis)} ms: running ${millis(runMillis)}, ` +
    `waiting for I/O ${millis(ioMillis)}, loop busy with others ${millis(loopMillis)}${blame}`
  );
}

function millis(value: number): string {
  return value.toFixed(1);
}
