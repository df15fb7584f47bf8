import { rmSync, writeSync, closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import {
  kindAt,
  nextFrame,
  ORIGIN,
  originAt,
  readOrigin,
  scanFrames,
  SPAN,
} from '../encoding/frame-format.ts';
import type { OriginTable, Slice } from '../encoding/request-body.ts';
import type { SpoolOptions } from '../sender/sender-options.ts';
import type { DeliveryLog } from '../sender/delivery-log.ts';
import { spans } from '../sender/delivery-log.ts';
import { createFile, readFile, SPOOL_MAGIC } from './file-safety.ts';
import { asker, readSettled, DeliveredRanges } from './delivered-ranges.ts';

/*
 * The sender's half of the spool: tracks which files hold unsettled spans, and which ranges of them
 * are on disk only. A segment's file is deleted once it is sealed and all its spans are settled;
 * until then, its settled ranges are recorded beside it. Segments of this process and those taken
 * over from dead ones are treated alike.
 */

interface Segment {
  path: string;
  bytes: number;
  /** Spans that are not settled yet. */
  open: number;
  sealed: boolean;
  settled: DeliveredRanges;
}

/** Spans that are only on disk. */
interface Stretch {
  segment: number;
  offset: number;
  length: number;
  count: number;
  origins: OriginTable;
}

/** The contents of a dead process's file. */
interface Adopted {
  /** Spans to deliver. */
  count: number;
  /** Spans that are lost to damage, as far as is known: one for each damaged range. */
  unreadable: number;
}

/**
 * The maximum size of a file that is read; segments, this process's own and adopted ones, end at a
 * quarter of it.
 */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024;
const MAX_SET_ASIDE_FILES = 100;

export class SpoolIndex {
  readonly #options: SpoolOptions;
  readonly #log: DeliveryLog;
  readonly #segments = new Map<number, Segment>();
  #stretches: Stretch[] = [];
  #bytes = 0;
  /** Adopted segments count down from -1, so that they never collide with the writer's numbers. */
  #lastAdopted = 0;

  constructor(options: SpoolOptions, log: DeliveryLog) {
    this.#options = options;
    this.#log = log;
  }

  /** Whether any spans are on disk only. */
  get hasWaiting(): boolean {
    return this.#stretches.length > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Records that a slice of the open segment `id` has arrived. */
  record(id: number, path: string, slice: Slice): void {
    let segment = this.#segments.get(id);
    if (!segment) {
      const settled = new DeliveredRanges(path, 0);
      segment = { path, bytes: SPOOL_MAGIC.length, open: 0, sealed: false, settled };
      this.#segments.set(id, segment);
      this.#bytes += segment.bytes;
    }
    segment.open += slice.count;
    segment.bytes += slice.to - slice.from;
    this.#bytes += slice.to - slice.from;
  }

  seal(id: number, path: string): void {
    const segment = this.#segments.get(id);
    if (!segment) {
      this.#remove(path);
      return;
    }
    segment.sealed = true;
    this.#release(id, segment);
  }

  /** Marks a slice's spans as settled. */
  settle({ segment: id, offset, from, to, count }: Slice): void {
    const segment = id === undefined ? undefined : this.#segments.get(id);
    if (!segment) return;
    segment.open -= count;
    if (this.#release(id as number, segment) || offset === undefined) return;
    try {
      segment.settled.add(offset + from, to - from);
    } catch (error) {
      this.#log.spool(
        `Cannot record which spans of ${segment.path} are delivered (${messageOf(error)}); after a crash they would be sent again.`,
      );
    }
  }

  /** Whether the slice outlives the process as it is. */
  keep({ segment }: Slice): boolean {
    return segment !== undefined && this.#segments.has(segment);
  }

  /** Leaves a slice on disk for now. Returns whether it has a file. */
  evict(slice: Slice): boolean {
    const { segment, offset, from, to, count, origins } = slice;
    if (segment === undefined || offset === undefined || !this.keep(slice)) return false;
    this.#stretches.push({ segment, offset: offset + from, length: to - from, count, origins });
    return true;
  }

  /** Reads the oldest range back. Returns fewer spans than `count` if the file is damaged. */
  load(): { slice: Slice | undefined; count: number } {
    const stretch = this.#stretches.shift() as Stretch;
    const { segment: id, offset, length, count } = stretch;
    const segment = this.#segments.get(id);
    if (!segment) return { slice: undefined, count };
    try {
      const bytes = readFile(segment.path, MAX_FILE_BYTES, offset, length);
      const slice = collect(bytes, offset, stretch.origins);
      const lost = count - slice.count;
      if (lost > 0) this.settle({ ...slice, segment: id, offset: undefined, count: lost });
      return { slice: slice.count > 0 ? { ...slice, segment: id } : undefined, count };
    } catch (error) {
      this.#log.spool(`Cannot read back ${spans(count)} from the spool: ${messageOf(error)}.`);
      segment.open -= count;
      return { slice: undefined, count };
    }
  }

  /** Takes over a file of a dead process. Returns the number of spans in it. */
  adopt(path: string): Adopted {
    const bytes = readFile(path, MAX_FILE_BYTES);
    const begins = bytes.subarray(0, SPOOL_MAGIC.length).equals(SPOOL_MAGIC);
    if (!begins) {
      this.#log.spool(`Refused ${path}: it does not begin like a spool file.`);
      return { count: 0, unreadable: 0 };
    }
    const { settled, count: settledFiles } = readSettled(path, MAX_FILE_BYTES, (error) => {
      this.#log.spool(`Refused ${messageOf(error)}.`);
    });
    const isSettled = asker(settled);
    const id = --this.#lastAdopted;
    const origins: OriginTable = new Map();
    const stretches: Stretch[] = [];
    let whole = 0;
    let unreadable = 0;
    const onFrame = (start: number): void => {
      if (learnOrigin(bytes, start, origins)) return;
      whole++;
      if (isSettled(start)) return;
      const last = stretches.at(-1);
      const length = nextFrame(bytes, start) - start;
      if (!last || last.offset + last.length !== start) {
        stretches.push({ segment: id, offset: start, length, count: 1, origins });
        return;
      }
      last.length += length;
      last.count++;
    };
    const damage = scanFrames(bytes, SPOOL_MAGIC.length, onFrame, (start) => {
      // A range may hold several spans; how many cannot be known.
      if (kindAt(bytes, start) !== ORIGIN && !isSettled(start)) unreadable++;
    });
    if (damage.damaged > 0) {
      const where = damage.damaged === 1 ? 'one place' : `${damage.damaged} places`;
      this.#log.spool(
        `${path} is damaged in ${where}: records that fail their checksum are skipped; ${spans(whole)} can be read.`,
      );
    }
    if (damage.truncated) {
      this.#log.spool(
        `${path} ends within a record, as when a process is killed while writing; ${spans(whole)} before it can be read.`,
      );
    }
    const files = new DeliveredRanges(path, settledFiles);
    let count = 0;
    for (const stretch of stretches) count += stretch.count;
    if (count === 0) {
      this.#remove(path, files);
      return { count, unreadable };
    }
    this.#segments.set(id, {
      path,
      bytes: bytes.length,
      open: count,
      sealed: true,
      settled: files,
    });
    this.#bytes += bytes.length;
    this.#stretches.push(...stretches);
    return { count, unreadable };
  }

  /** Deletes a file that is too old; returns how many spans were open in it. */
  expire(path: string): Adopted {
    const adopted = this.adopt(path);
    const id = this.#lastAdopted;
    const segment = this.#segments.get(id);
    if (adopted.count === 0 || !segment) return adopted;
    this.#stretches = this.#stretches.filter((stretch) => stretch.segment !== id);
    segment.open = 0;
    this.#release(id, segment);
    return adopted;
  }

  /**
   * Enforces the size limit: deletes the oldest segments beyond it, and returns how many of their
   * spans were on disk only. Spans that are also in memory stay there.
   */
  trim(): number {
    let lost = 0;
    for (const [id, segment] of this.#segments) {
      if (this.#bytes <= this.#options.maxBytes || !segment.sealed) break;
      for (const stretch of this.#stretches) if (stretch.segment === id) lost += stretch.count;
      this.#stretches = this.#stretches.filter((stretch) => stretch.segment !== id);
      this.#forget(id, segment);
    }
    return lost;
  }

  /** Writes a request that the collector does not accept to a file, so that it can be inspected. */
  setAside(body: Buffer): string | undefined {
    const folder = join(this.#options.folder, 'set-aside');
    try {
      makeFolder(folder, 0o700);
      if (readdirSync(folder).length >= MAX_SET_ASIDE_FILES) return undefined;
      const name = `${Date.now()}-${process.pid}-${Math.random().toString(36).slice(2, 10)}.otlp`;
      const path = join(folder, name);
      const fd = createFile(path);
      writeSync(fd, body);
      closeSync(fd);
      return path;
    } catch (error) {
      this.#log.spool(`Cannot set a request aside in ${folder}: ${messageOf(error)}.`);
      return undefined;
    }
  }

  /** Deletes a segment's files if they are no longer needed. Returns whether it did. */
  #release(id: number, segment: Segment): boolean {
    if (segment.open > 0 || !segment.sealed) return false;
    this.#forget(id, segment);
    return true;
  }

  #forget(id: number, segment: Segment): void {
    this.#segments.delete(id);
    this.#bytes -= segment.bytes;
    this.#remove(segment.path, segment.settled);
  }

  #remove(path: string, settled?: DeliveredRanges): void {
    try {
      rmSync(path, { force: true });
      settled?.remove();
    } catch (error) {
      this.#log.spool(`Cannot delete ${path}: ${messageOf(error)}.`);
    }
  }
}

/**
 * Returns the valid frames of `bytes`, which begin at `offset` in their file, as a new slice. The
 * slice has a position in the file only if all its frames are valid.
 */
function collect(bytes: Buffer, offset: number, origins: OriginTable): Slice {
  const sound: Buffer[] = [];
  let count = 0;
  let length = 0;
  scanFrames(bytes, 0, (start) => {
    const frame = bytes.subarray(start, nextFrame(bytes, start));
    sound.push(frame);
    length += frame.length;
    if (kindAt(bytes, start) === SPAN) count++;
  });
  const slice = { origins, from: 0, to: length, count, sequence: 0 };
  return length === bytes.length
    ? { ...slice, buffer: bytes, offset }
    : { ...slice, buffer: Buffer.concat(sound) };
}

/** Whether the frame at `start` is an origin; it goes into `origins`, replacing an earlier one. */
function learnOrigin(bytes: Buffer, start: number, origins: OriginTable): boolean {
  if (kindAt(bytes, start) !== ORIGIN) return false;
  const origin = readOrigin(bytes, start);
  if (origin) origins.set(originAt(bytes, start), origin);
  return true;
}
