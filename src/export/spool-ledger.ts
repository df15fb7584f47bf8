import { rmSync, writeSync, closeSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../base/errors.ts';
import { kindAt, nextFrame, ORIGIN, originAt, readOrigin, scanFrames, SPAN } from './frames.ts';
import type { OriginTable, Slice } from './request-body.ts';
import type { SpoolOptions } from './sender-options.ts';
import type { SenderVoice } from './sender-voice.ts';
import { spans } from './sender-voice.ts';
import { createFile, readFile, SPOOL_MAGIC } from './spool-safety.ts';

/*
 * The sender's half of the spool: which files hold spans whose fate is open, and which stretches of
 * them are on disk only. A segment's file goes once it is sealed and nothing in it is open. Segments
 * of this process and those adopted from dead ones are the same thing here.
 */

interface Segment {
  path: string;
  bytes: number;
  /** Spans whose fate is open. */
  open: number;
  sealed: boolean;
}

/** Spans on disk only. */
interface Stretch {
  segment: number;
  offset: number;
  length: number | undefined;
  count: number;
  origins: OriginTable | undefined;
}

/** The largest file that is read; our own segments end at a quarter of it, adopted ones as well. */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024;
const MAX_SET_ASIDE_FILES = 100;

export class SpoolLedger {
  readonly #options: SpoolOptions;
  readonly #voice: SenderVoice;
  readonly #segments = new Map<number, Segment>();
  #stretches: Stretch[] = [];
  #bytes = 0;
  /** Adopted segments count down from -1, so that they never meet the writer's numbers. */
  #lastAdopted = 0;

  constructor(options: SpoolOptions, voice: SenderVoice) {
    this.#options = options;
    this.#voice = voice;
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
      segment = { path, bytes: SPOOL_MAGIC.length, open: 0, sealed: false };
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
  settle({ segment: id, count }: Slice): void {
    const segment = id === undefined ? undefined : this.#segments.get(id);
    if (!segment) return;
    segment.open -= count;
    this.#release(id as number, segment);
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
      const slice = collect(bytes, 0, stretch.origins);
      const lost = count - slice.count;
      if (lost > 0) this.settle({ ...slice, segment: id, count: lost });
      return { slice: slice.count > 0 ? { ...slice, segment: id } : undefined, count };
    } catch (error) {
      this.#voice.spool(`Cannot read back ${spans(count)} from the spool: ${messageOf(error)}.`);
      segment.open -= count;
      return { slice: undefined, count };
    }
  }

  /** Takes over a file of a dead process; returns how many spans it brings. */
  adopt(path: string): number {
    const bytes = readFile(path, MAX_FILE_BYTES);
    const begins = bytes.subarray(0, SPOOL_MAGIC.length).equals(SPOOL_MAGIC);
    if (!begins) {
      this.#voice.spool(`Refused ${path}: it does not begin as a spool file does.`);
      return 0;
    }
    const from = SPOOL_MAGIC.length;
    let count = 0;
    const damage = scanFrames(bytes, from, (start) => {
      if (kindAt(bytes, start) === SPAN) count++;
    });
    if (damage.damaged > 0) {
      const where = damage.damaged === 1 ? 'one place' : `${damage.damaged} places`;
      this.#voice.spool(
        `${path} is damaged in ${where}: what fails its checksum is left out, ${spans(count)} are whole.`,
      );
    }
    if (damage.truncated) {
      this.#voice.spool(
        `${path} ends within a record, as where a process is killed while it writes: ${spans(count)} before it are whole.`,
      );
    }
    if (count === 0) {
      this.#remove(path);
      return 0;
    }
    const id = --this.#lastAdopted;
    this.#segments.set(id, { path, bytes: bytes.length, open: count, sealed: true });
    this.#bytes += bytes.length;
    this.#stretches.push({
      segment: id,
      offset: from,
      length: undefined,
      count,
      origins: undefined,
    });
    return count;
  }

  /** Deletes a file that is too old; returns how many spans were in it. */
  expire(path: string): number {
    const bytes = readFile(path, MAX_FILE_BYTES);
    const { count } = collect(bytes, SPOOL_MAGIC.length, undefined);
    this.#remove(path);
    return count;
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
      this.#segments.delete(id);
      this.#bytes -= segment.bytes;
      this.#remove(segment.path);
    }
    return lost;
  }

  /** Writes a request that the collector does not take where a person can look at it. */
  setAside(body: Buffer): string | undefined {
    const folder = join(this.#options.folder, 'set-aside');
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (readdirSync(folder).length >= MAX_SET_ASIDE_FILES) return undefined;
      const name = `${Date.now()}-${process.pid}-${Math.random().toString(36).slice(2, 10)}.otlp`;
      const path = join(folder, name);
      const fd = createFile(path);
      writeSync(fd, body);
      closeSync(fd);
      return path;
    } catch (error) {
      this.#voice.spool(`Cannot set a request aside in ${folder}: ${messageOf(error)}.`);
      return undefined;
    }
  }

  #release(id: number, segment: Segment): void {
    if (segment.open > 0 || !segment.sealed) return;
    this.#segments.delete(id);
    this.#bytes -= segment.bytes;
    this.#remove(segment.path);
  }

  #remove(path: string): void {
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.#voice.spool(`Cannot delete ${path}: ${messageOf(error)}.`);
    }
  }
}

/** The sound frames of `bytes` as a slice of their own, with the origins they name. */
function collect(bytes: Buffer, from: number, known: OriginTable | undefined): Slice {
  const origins: OriginTable = new Map(known);
  const sound: [start: number, end: number][] = [];
  let length = 0;
  scanFrames(bytes, from, (start) => {
    const end = nextFrame(bytes, start);
    if (kindAt(bytes, start) === ORIGIN) {
      const origin = readOrigin(bytes, start);
      if (origin) origins.set(originAt(bytes, start), origin);
    } else {
      sound.push([start, end]);
      length += end - start;
    }
  });
  const buffer = Buffer.allocUnsafeSlow(length);
  let position = 0;
  for (const [start, end] of sound) position += bytes.copy(buffer, position, start, end);
  return { buffer, origins, from: 0, to: length, count: sound.length, sequence: 0 };
}
