import { cutMiddle } from '../base/cut-middle.ts';
import { plainText } from '../base/plain-text.ts';
import type { Parts } from '../tracer/parts.ts';
import type { NameTotals, RequestTotals } from '../tracer/request-totals.ts';
import { rounded, shortened } from '../viewer/outline.ts';

/*
 * What the requests of a run amount to, for a person and for a program.
 */

const MAX_LINES = 8;
const MAX_NAME_LINES = 3;
const MAX_JSON_NAMES = 20;
/** What `clew: ` takes before each line. */
const PREFIX = 6;

/** Where the table leaves less for a name, each name has lines of its own. */
const MIN_NAME = 12;

/** A table by name, the name that took most time first, for a terminal of so many columns. */
export function summaryLines(
  { requests, names, otherRequests, endedProcess = [] }: RequestTotals,
  seconds: number,
  columns: number,
): string[] {
  if (requests === 0) return [];
  const shown = shownOf(names, otherRequests);
  const left = names.filter((one) => !shown.includes(one));
  const hidden = left.reduce((sum, { count }) => sum + count, otherRequests);
  const hiddenFailures = left.reduce((sum, { failed = 0 }) => sum + failed, 0);
  const hasFailures = names.some(({ failed }) => failed);
  const heads = ['count', 'mean ms', 'max ms', 'run %', 'I/O %', 'loop %'];
  const head = line(hasFailures ? [...heads, 'ERROR'] : heads);
  const plural = requests === 1 ? 'request' : 'requests';
  const room = columns - PREFIX;
  const isTable = room - head.length >= MIN_NAME;
  return [
    `${requests} ${plural} in ${seconds.toFixed(1)} s, by name`,
    ...(isTable ? [`${head}request`] : []),
    ...shown.flatMap((one) => (isTable ? rows(one, hasFailures, room) : paragraph(one, room))),
    ...(hidden > 0
      ? [`and ${hidden} of other names${hiddenFailures > 0 ? `, ERROR ${hiddenFailures}` : ''}`]
      : []),
    ...endedProcess.flatMap(({ name }) => foldName(`${name} ended the process`, room)),
  ];
}

/** Names that failed stay in the table, whatever time they took. */
function shownOf(names: readonly NameTotals[], otherRequests: number): NameTotals[] {
  // The line that tells of one more is as long as the one itself.
  if (names.length === MAX_LINES + 1 && otherRequests === 0) return [...names];
  const failedFirst = names.toSorted((a, b) => Number(!a.failed) - Number(!b.failed));
  const chosen = new Set(failedFirst.slice(0, MAX_LINES));
  return names.filter((one) => chosen.has(one));
}

/** A name that is too long goes on below. */
function rows(totals: NameTotals, hasFailures: boolean, room: number): string[] {
  const { name, count, totalMs, maxMs, parts, failed = 0 } = totals;
  const cells = [
    String(count),
    (totalMs / count).toFixed(1),
    maxMs.toFixed(1),
    ...sharesOf(totals, parts),
    ...(hasFailures ? [String(failed)] : []),
  ];
  const before = line(cells);
  const [first = '', ...rest] = foldName(name, room - before.length);
  return [before + first, ...rest.map((part) => ' '.repeat(before.length) + part)];
}

/** The same for a narrow terminal. */
function paragraph(totals: NameTotals, room: number): string[] {
  const { name, count, totalMs, maxMs, parts, failed = 0 } = totals;
  const [run, io, loop] = sharesOf(totals, parts);
  return [
    ...foldName(name, room),
    `  ${count} × ${(totalMs / count).toFixed(1)} ms, at most ${maxMs.toFixed(1)}`,
    `  run ${run} %, I/O ${io} %, loop ${loop} %`,
    ...(failed ? [`  ERROR ${failed}`] : []),
  ];
}

function sharesOf({ totalMs }: NameTotals, { runningMs, ioMs, loopMs }: Parts): string[] {
  return [runningMs, ioMs, loopMs].map((ms) => ((100 * ms) / (totalMs || 1)).toFixed(0));
}

/** Breaks a name before a slash or a blank, into three lines at most. */
function foldName(name: string, room: number): string[] {
  const lines: string[] = [];
  let rest = plainText(name);
  while (rest.length > room && lines.length < MAX_NAME_LINES - 1) {
    const at = Math.max(rest.lastIndexOf('/', room), rest.lastIndexOf(' ', room));
    // Not right behind the method.
    const end = at > room / 2 ? at : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, cutMiddle(rest, room)];
}

function line(cells: readonly string[]): string {
  const widths = [5, 9, 9, 7, 7, 7, 7];
  return `${cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('')}  `;
}

/** The same as JSON of at most `maxBytes`, with the slowest requests. */
export function summaryJson(totals: RequestTotals, maxBytes: number): object {
  const { requests, otherRequests, endedProcess = [] } = totals;
  const names = totals.names.map(({ name, count, totalMs, maxMs, parts, failed }) => ({
    name: shortened(name),
    count,
    totalMs: rounded(totalMs),
    maxMs: rounded(maxMs),
    parts: roundedParts(parts),
    ...(failed ? { failed } : {}),
  }));
  const slowest = totals.slowest.map(({ blockedBy, ...one }) => ({
    ...one,
    name: shortened(one.name),
    startMs: rounded(one.startMs),
    durationMs: rounded(one.durationMs),
    parts: roundedParts(one.parts),
    ...(blockedBy
      ? { blockedBy: { name: shortened(blockedBy.name), ms: rounded(blockedBy.ms) } }
      : {}),
  }));
  const ended = endedProcess.map((one) => ({ ...one, name: shortened(one.name) }));
  const shown = names.splice(0, MAX_JSON_NAMES);
  const hidden = [...names];
  const bytes = (): number => JSON.stringify([shown, slowest, ended]).length;
  // What took least goes first.
  while (bytes() > maxBytes && shown.length + slowest.length > 2) {
    if (slowest.length > shown.length) slowest.pop();
    else hidden.push(...shown.splice(-1));
  }
  const omitted = hidden.reduce((sum, { count }) => sum + count, otherRequests);
  return {
    requests,
    names: shown,
    otherRequests: omitted,
    slowest,
    ...(ended.length > 0 ? { endedProcess: ended } : {}),
  };
}

function roundedParts({ runningMs, ioMs, loopMs }: Parts): Parts {
  return { runningMs: rounded(runningMs), ioMs: rounded(ioMs), loopMs: rounded(loopMs) };
}
