import { closeSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { createFile, readFile } from './file-safety.ts';

/*
 * Records which ranges of a segment are settled, in a file beside it, so that a process that takes
 * over the segment does not resend spans that the collector has accepted. Only the sender writes
 * it, and only while spans of the segment are open.
 *
 *   offset u32 | length u32 | crc32 of both u32      (little endian), any number of times
 *
 * A file is never opened a second time: each process that works on a segment adds the next one,
 * `00000001.0.done`, `00000001.1.done`, ... A record that is damaged or missing can make spans
 * arrive twice, but never loses one.
 */

const RECORD = 12;

/** Ranges of a segment's file, in order, no two of them adjacent. */
export type Settled = readonly (readonly [start: number, end: number])[];

export class DeliveredRanges {
  readonly #spoolPath: string;
  /** How many there are, the one being written included. */
  #count: number;
  #fd: number | undefined;
  #isBroken = false;

  /** `count` files are there from earlier processes. */
  constructor(spoolPath: string, count: number) {
    this.#spoolPath = spoolPath;
    this.#count = count;
  }

  /** Records a range. Throws the first time that this fails, and does nothing from then on. */
  add(offset: number, length: number): void {
    if (this.#isBroken) return;
    const record = Buffer.allocUnsafe(RECORD);
    record.writeUInt32LE(offset, 0);
    record.writeUInt32LE(length, 4);
    record.writeUInt32LE(crc32(record.subarray(0, 8)), 8);
    try {
      this.#fd ??= createFile(pathOf(this.#spoolPath, this.#count++));
      writeSync(this.#fd, record);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Deletes all of them. To be called when the segment has been deleted. */
  remove(): void {
    this.close();
    for (let i = 0; i < this.#count; i++) rmSync(pathOf(this.#spoolPath, i), { force: true });
    this.#count = 0;
  }
}

/**
 * Reads the settled ranges of a segment, and the number of files that hold them; names each file
 * that it refuses.
 */
export function readSettled(
  spoolPath: string,
  maxBytes: number,
  onRefused: (error: unknown) => void,
): { settled: Settled; count: number } {
  const found: [number, number][] = [];
  for (let count = 0; ; count++) {
    try {
      const bytes = readFile(pathOf(spoolPath, count), maxBytes);
      for (let at = 0; at + RECORD <= bytes.length; at += RECORD) {
        if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) continue;
        const start = bytes.readUInt32LE(at);
        found.push([start, start + bytes.readUInt32LE(at + 4)]);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return { settled: join(found), count };
      onRefused(error);
    }
  }
}

/**
 * Returns a function that tests, for increasing positions, whether each lies in a settled range.
 */
export function asker(settled: Settled): (position: number) => boolean {
  let next = 0;
  return (position) => {
    while (next < settled.length && (settled[next]?.[1] as number) <= position) next++;
    return next < settled.length && (settled[next]?.[0] as number) <= position;
  };
}

/** If `name` is such a file, returns the segment it belongs to: its name without the extension. */
export function segmentOfSettled(name: string): string | undefined {
  return /^(\d+)\.\d+\.done$/.exec(name)?.[1];
}

function pathOf(spoolPath: string, index: number): string {
  return spoolPath.replace(/\.spool$/, `.${index}.done`);
}

function join(found: [number, number][]): Settled {
  const settled: [number, number][] = [];
  for (const [start, end] of found.toSorted((a, b) => a[0] - b[0])) {
    const last = settled.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else settled.push([start, end]);
  }
  return settled;
}
