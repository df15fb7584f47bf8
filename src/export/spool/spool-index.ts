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
 * The sender's half of the spool: which files hold spans whose fate is open, and which stretches of
 * them are on disk only. A segment's file goes once it is sealed and nothing in it is open; until
 * then, what of it is settled is noted beside it. Segments of this process and those adopted from
 * dead ones are the same thing here.
 */

interface Segment {
  path: string;
  bytes: number;
  /** Spans whose fate is open. */
  open: number;
  sealed: boolean;
  settled: DeliveredRanges;
}

/** Spans on disk only. */
interface Stretch {
  segment: number;
  offset: number;
  length: number;
  count: number;
  origins: OriginTable;
}

/** What a file of a dead process brought. */
interface Adopted {
  /** Spans to deliver. */
  count: number;
  /** Spans that are lost to damage, as far as it can be told: one for each damaged place. */
  unreadable: number;
}

/** The largest file that is read; our own segments end at a quarter of it, adopted ones as well. */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024;
const MAX_SET_ASIDE_FILES = 100;

export class SpoolIndex {
  readonly #options: SpoolOptions;
  readonly #log: DeliveryLog;
  readonly #segments = new Map<number, Segment>();
  #stretches: Stretch[] = [];
  #bytes = 0;
  /** Adopted segments count down from -1, so that they never meet the writer's numbers. */
  #lastAdopted = 0;

  constructor(options: SpoolOptions, log: DeliveryLog) {
    this.#options = options;
    this.#log = log;
  }

  /** Whether spans are on disk only. */
  get hasWaiting(): boolean {
    return this.#stretches.length > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Notes that a slice of the open segment `id` has come in. */
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

  /** The fate of a slice's spans is known. */
  settle({ segment: id, offset, from, to, count }: Slice): void {
    const segment = id === undefined ? undefined : this.#segments.get(id);
    if (!segment) return;
    segment.open -= count;
    if (this.#release(id as number, segment) || offset === undefined) return;
    try {
      segment.settled.add(offset + from, to - from);
    } catch (error) {
      this.#log.spool(
        `Cannot note what is delivered of ${segment.path} (${messageOf(error)}); after a crash it would be sent again.`,
      );
    }
  }

  /** Whether the slice outlives the process as it is. */
  keep({ segment }: Slice): boolean {
    return segment !== undefined && this.#segments.has(segment);
  }

  /** Leaves a slice to its file for now, and says whether it has one. */
  evict(slice: Slice): boolean {
    const { segment, offset, from, to, count, origins } = slice;
    if (segment === undefined || offset === undefined || !this.keep(slice)) return false;
    this.#stretches.push({ segment, offset: offset + from, length: to - from, count, origins });
    return true;
  }

  /** Reads the oldest stretch back. Fewer spans than `count` came back where the file is damaged. */
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

  /** Takes over a file of a dead process; returns how many spans it brings, and brings no more. */
  adopt(path: string): Adopted {
    const bytes = readFile(path, MAX_FILE_BYTES);
    const begins = bytes.subarray(0, SPOOL_MAGIC.length).equals(SPOOL_MAGIC);
    if (!begins) {
      this.#log.spool(`Refused ${path}: it does not begin as a spool file does.`);
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
      // A stretch may hold several; that is more than can be known of it.
      if (kindAt(bytes, start) !== ORIGIN && !isSettled(start)) unreadable++;
    });
    if (damage.damaged > 0) {
      const where = damage.damaged === 1 ? 'one place' : `${damage.damaged} places`;
      this.#log.spool(
        `${path} is damaged in ${where}: what fails its checksum is left out, ${spans(whole)} are whole.`,
      );
    }
    if (damage.truncated) {
      this.#log.spool(
        `${path} ends within a record, as where a process is killed while it writes: ${spans(whole)} before it are whole.`,
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
   * Keeps the cap: deletes the oldest segments beyond it, and returns how many spans were on disk
   * only in them. Spans that are in memory as well stay there.
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

  /** Writes a request that the collector does not take where a person can look at it. */
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

  /** Deletes a segment's files if there is no more need of them, and says whether it did. */
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
 * The sound frames of `bytes`, which begin at `offset` in their file, as a slice of their own. Only
 * where all are sound does it say where it lies.
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
