import type { AsyncRecord, AsyncTrace, TraceOwner } from '../record.ts';
import { isGroup, isHeader } from './check-line.ts';

/*
 * The lines of a `.clew` file. `docs/tracer.md` has the description for readers.
 *
 * A file is gzip (of several members) over lines of JSON, each an array whose first element is its
 * kind:
 *
 *   ["clew", version, {node, pid, timeOrigin, ...}]   once, first
 *   ["s", text]                                       a text; the first is number 0, and so on
 *   ["g", {...}, [record, record, ...]]               a finished group
 *   ["end", {...}]                                    last, unless the recording was cut short
 *
 * A record is a flat array of whole numbers. Times are microseconds since the time before them, and
 * ids are differences to the record before, so that nearly all are short.
 */

export const FORMAT_VERSION = 1;

export interface RecordingHeader {
  node: string;
  pid: number;
  /** Milliseconds since 1970 at which the times of the file start. */
  timeOrigin: number;
  /** The program that was run, without its arguments. */
  program: string;
  startedAt: number;
  level: string;
}

export interface RecordingEnd {
  endedAt: number;
  requests: number;
  groups: number;
  records: number;
  /** Async resources that exceeded a bound. */
  dropped: number;
  /** Groups left out because of the size limit of the file. */
  groupsDropped: number;
}

export interface Recording {
  version: number;
  header: RecordingHeader;
  traces: AsyncTrace[];
  /** Missing if the process ended during the recording. */
  end?: RecordingEnd;
}

type Line = readonly unknown[];

interface GroupHead {
  root: [asyncId: number, type: number, description: number];
  at: [start: number, end: number];
  by: AsyncTrace['endedBy'];
  dropped: number;
  owner?: Omit<TraceOwner, 'label'> & { label: number };
}

const HAS_RESOLVED = 1;
const HAS_DESTROYED = 2;
const BORN_BEFORE = 4;
/** The role is in the two bits from here, if it is one of these; older readers see no role. */
const ROLE_SHIFT = 3;
const ROLES = [undefined, 'binding', 'wait', 'internal'] as const;

/** Converts groups into lines, with each text only once. */
export class LineWriter {
  readonly #texts = new Map<string, number>();

  header(header: RecordingHeader): string {
    return line(['clew', FORMAT_VERSION, header]);
  }

  end(end: RecordingEnd): string {
    return line(['end', end]);
  }

  group(trace: AsyncTrace): string {
    const texts: string[] = [];
    const head: GroupHead = {
      root: [
        trace.root.asyncId,
        this.#text(trace.root.type, texts),
        this.#text(trace.root.description, texts),
      ],
      at: [micros(trace.startedAt), micros(trace.endedAt)],
      by: trace.endedBy,
      dropped: trace.dropped,
    };
    if (trace.owner) head.owner = { ...trace.owner, label: this.#text(trace.owner.label, texts) };
    let lastId = trace.root.asyncId;
    let lastTime = head.at[0];
    const rows = trace.records.map((record) => {
      const row = this.#row(record, lastId, lastTime, texts);
      lastId = record.asyncId;
      lastTime = micros(record.initAt);
      return row;
    });
    return texts.map((text) => line(['s', text])).join('') + line(['g', head, rows]);
  }

  #row(record: AsyncRecord, lastId: number, lastTime: number, texts: string[]): number[] {
    const initAt = micros(record.initAt);
    const stack = record.stack?.join('\n');
    const flags =
      (record.resolvedAt === undefined ? 0 : HAS_RESOLVED) |
      (record.destroyedAt === undefined ? 0 : HAS_DESTROYED) |
      (record.bornBefore ? BORN_BEFORE : 0) |
      (Math.max(ROLES.indexOf(record.role as never), 0) << ROLE_SHIFT);
    const row = [
      record.asyncId - lastId,
      this.#text(record.type, texts),
      record.asyncId - record.triggerAsyncId,
      record.asyncId - record.executionAsyncId,
      initAt - lastTime,
      flags,
      this.#text(record.description, texts),
      this.#text(stack, texts),
      this.#text(record.spanId, texts),
      record.slicesDropped,
    ];
    if (record.resolvedAt !== undefined) row.push(micros(record.resolvedAt) - initAt);
    if (record.destroyedAt !== undefined) row.push(micros(record.destroyedAt) - initAt);
    let time = initAt;
    for (const slice of record.slices) {
      row.push(micros(slice) - time);
      time = micros(slice);
    }
    return row;
  }

  /** Returns the number of a text, `-1` for none; adds a new one to `texts`. */
  #text(text: string | undefined, texts: string[]): number {
    if (text === undefined) return -1;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.size;
    this.#texts.set(text, number);
    texts.push(text);
    return number;
  }
}

/** More than these, with the objects created from them, do not fit into the memory of a process. */
const MAX_RECORDS = 4_000_000;

/**
 * Reads lines back. Throws, naming the line, if they are not a recording. A last line that was cut
 * off is left out.
 */
export function parseLines(lines: Iterable<string>): Recording {
  const texts: string[] = [];
  const traces: AsyncTrace[] = [];
  let header: RecordingHeader | undefined;
  let end: RecordingEnd | undefined;
  let version = 0;
  let number = 0;
  let records = 0;
  let broken: number | undefined;
  for (const json of lines) {
    number++;
    if (json === '') continue;
    if (broken !== undefined) throw new SyntaxError(`line ${broken} is damaged`);
    const parsed = parseLine(json);
    if (!parsed) {
      broken = number;
      continue;
    }
    const [kind, first, second] = parsed;
    if (kind === 'clew') {
      version = Number(first);
      if (version > FORMAT_VERSION)
        throw new RangeError(`version ${version} is newer than this clew`);
      if (!isHeader(second)) throw new TypeError(`line ${number} is not a header`);
      header = second as RecordingHeader;
    } else if (!header) {
      break;
    } else if (kind === 's') texts.push(String(first));
    else if (kind === 'g') {
      if (!isGroup(first, second)) throw new TypeError(`line ${number} is not a group`);
      const rows = second as number[][];
      records += rows.length;
      if (records > MAX_RECORDS) throw new RangeError('it has too many async resources');
      traces.push(toTrace(first as GroupHead, rows, texts));
    } else if (kind === 'end') end = first as RecordingEnd;
    // Other kinds are later minor additions and are skipped.
  }
  if (!header) throw new TypeError('not a .clew recording: the first line is missing');
  const recording: Recording = { version, header, traces };
  if (end) recording.end = end;
  return recording;
}

function parseLine(json: string): Line | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function toTrace(head: GroupHead, rows: number[][], texts: string[]): AsyncTrace {
  const [rootId, rootType, rootDescription] = head.root;
  const root: AsyncTrace['root'] = { asyncId: rootId, type: texts[rootType] ?? 'unknown' };
  const description = texts[rootDescription];
  if (description !== undefined) root.description = description;
  let lastId = rootId;
  let lastTime = head.at[0];
  const records = rows.map((row) => {
    const record = toRecord(row, lastId, lastTime, texts);
    lastId = record.asyncId;
    lastTime = micros(record.initAt);
    return record;
  });
  const trace: AsyncTrace = {
    root,
    startedAt: millis(head.at[0]),
    endedAt: millis(head.at[1]),
    records,
    endedBy: head.by,
    dropped: head.dropped,
  };
  if (head.owner) trace.owner = { ...head.owner, label: texts[head.owner.label] ?? '' };
  return trace;
}

function toRecord(row: number[], lastId: number, lastTime: number, texts: string[]): AsyncRecord {
  const at = (index: number): number => row[index] ?? 0;
  const asyncId = lastId + at(0);
  const initAt = lastTime + at(4);
  const flags = at(5);
  const record: AsyncRecord = {
    asyncId,
    type: texts[at(1)] ?? 'unknown',
    triggerAsyncId: asyncId - at(2),
    executionAsyncId: asyncId - at(3),
    initAt: millis(initAt),
    slices: [],
    slicesDropped: at(9),
    bornBefore: (flags & BORN_BEFORE) !== 0,
  };
  const [description, stack, spanId] = [texts[at(6)], texts[at(7)], texts[at(8)]];
  if (description !== undefined) record.description = description;
  if (stack !== undefined) record.stack = stack.split('\n');
  if (spanId !== undefined) record.spanId = spanId;
  const role = ROLES[(flags >> ROLE_SHIFT) & 3];
  if (role !== undefined) record.role = role;
  let next = 10;
  if (flags & HAS_RESOLVED) record.resolvedAt = millis(initAt + at(next++));
  if (flags & HAS_DESTROYED) record.destroyedAt = millis(initAt + at(next++));
  let time = initAt;
  for (; next < row.length; next++) {
    time += at(next);
    record.slices.push(millis(time));
  }
  return record;
}

function line(value: Line): string {
  return `${JSON.stringify(value)}\n`;
}

function micros(time: number): number {
  return Math.round(time * 1e3);
}

function millis(time: number): number {
  return time / 1e3;
}
