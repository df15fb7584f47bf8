import { closeSync, fchmodSync, mkdirSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { ByteWriter } from '../encoding/byte-writer.ts';
import { createFile, requireSafeFolder, SPOOL_MAGIC } from './file-safety.ts';
import { instanceFolderName } from './folder-owner.ts';

/*
 * The write-ahead half of the spool, on the application's thread: a span is in the page cache before
 * its `end()` returns, so that it outlives the process, though not a power cut.
 *
 * A segment is a file of frames. It is closed ("sealed") by size or age; the sender deletes it once
 * the fate of all its spans is known.
 */

const SEGMENT_BYTES = 1024 * 1024;
const SEGMENT_MILLIS = 1000;

export interface OpenSegment {
  readonly id: number;
  readonly path: string;
  readonly fd: number;
  readonly openedAt: number;
  size: number;
}

export class SpoolWriter {
  readonly folder: string;
  #segment: OpenSegment | undefined;
  #nextId = 1;

  /** Throws an `UnsafeSpoolError` if `root` is not safe for spans. */
  constructor(root: string) {
    requireSafeFolder(root);
    this.folder = join(root, instanceFolderName());
    mkdirSync(this.folder, { mode: 0o700 });
  }

  get segment(): OpenSegment | undefined {
    return this.#segment;
  }

  /** Opens the next segment; frames are appended to it until it is sealed. */
  open(now: number): OpenSegment {
    const id = this.#nextId++;
    const path = join(this.folder, `${String(id).padStart(8, '0')}.spool`);
    const fd = createFile(path);
    // The umask can only remove permissions, but a file system may add them.
    fchmodSync(fd, 0o600);
    this.#segment = { id, path, fd, openedAt: now, size: 0 };
    this.#append(SPOOL_MAGIC, 0, SPOOL_MAGIC.length);
    return this.#segment;
  }

  /** Appends the writer's bytes from `from` to its position. */
  write(writer: ByteWriter, from: number): void {
    this.#append(writer.buffer, from, writer.position);
  }

  /** Whether the open segment has reached its maximum size or age. */
  isDue(now: number): boolean {
    const segment = this.#segment;
    if (!segment) return false;
    return segment.size >= SEGMENT_BYTES || now - segment.openedAt >= SEGMENT_MILLIS;
  }

  seal(): number | undefined {
    const segment = this.#segment;
    if (!segment) return undefined;
    this.#segment = undefined;
    closeSync(segment.fd);
    return segment.id;
  }

  /** Removes the folder if it is empty. */
  removeIfEmpty(): void {
    try {
      rmSync(join(this.folder, 'alive'), { force: true });
      rmdirSync(this.folder);
    } catch {
      // Spans are left; the next start will find them.
    }
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    const segment = this.#segment as OpenSegment;
    let position = from;
    while (position < to) position += writeSync(segment.fd, bytes, position, to - position);
    segment.size += to - from;
  }
}
