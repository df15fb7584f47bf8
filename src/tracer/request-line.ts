import { cutMiddle } from '../base/cut-middle.ts';
import type { RequestReport } from './async-resource-tracer.ts';
import type { ResourceOwner } from './owner.ts';
import type { Parts } from './parts.ts';

/** The prefix of every line on stderr. */
const PREFIX = 'clew: ';
/** Where a line may be broken; what follows begins the next one. */
const BREAKS = /(?= {2}[\d.]+ ms: | I\/O [\d.]+,| loop [\d.]+)/;

/**
 * Formats how a request's time was spent, in one line. Each request is named by its route, as far
 * as it is known.
 */
export function requestLine({ owner, split, endedProcess }: RequestReport): string {
  const { totalMillis, runMillis, ioMillis, loopMillis, blockedBy } = split;
  const status = statusOf(owner);
  const parts = partsText(
    { runningMs: runMillis, ioMs: ioMillis, loopMs: loopMillis },
    blockedBy && { name: blockedBy.owner?.label ?? blockedBy.label, ms: blockedBy.millis },
  );
  const mark = endedProcess ? ' (ended the process)' : '';
  return `${owner.label}${status && ` ${status}`}${mark}  ${millis(totalMillis)} ms: ${parts}`;
}

/** The parts of a request in milliseconds, by the words of the page, and who held the loop. */
export function partsText(
  { runningMs, ioMs, loopMs }: Parts,
  blocker: { name: string; ms: number } | undefined,
): string {
  const held = blocker ? ` (held by ${blocker.name} ${millis(blocker.ms)})` : '';
  return `running ${millis(runningMs)}, I/O ${millis(ioMs)}, loop ${millis(loopMs)}${held}`;
}

/** Whether a request failed by OpenTelemetry's convention for servers, or by its span. */
export function hasFailed({ failed, statusCode = 0 }: ResourceOwner): boolean {
  return failed || statusCode >= 500;
}

/** Returns `ERROR 500` or `404`; empty for other statuses. */
function statusOf(owner: ResourceOwner): string {
  const { statusCode } = owner;
  if (hasFailed(owner)) return statusCode === undefined ? 'ERROR' : `ERROR ${statusCode}`;
  return statusCode !== undefined && statusCode >= 400 ? String(statusCode) : '';
}

/**
 * Breaks the line to fit a terminal of this width; a part that is too long for one line is cut in
 * the middle.
 */
export function fitLine(line: string, columns: number | undefined): string[] {
  if (columns === undefined) return [line];
  const room = Math.max(columns - PREFIX.length, 20);
  const lines: string[] = [];
  for (const part of line.split(BREAKS)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length <= room) lines.push(lines.pop() + part);
    else lines.push(last === undefined ? part : `  ${part.trimStart()}`);
  }
  return lines.map((one) => cutMiddle(one, room));
}

function millis(value: number): string {
  return value.toFixed(1);
}
