import { crc32 } from 'node:zlib';

import type { ByteWriter } from './byte-writer.ts';

/*
 * The format of waiting spans, in memory and on disk: a sequence of frames.
 *
 *   marker u8 | kind u8 | origin u16 | length u32 | payload | crc32 u32      (little endian)
 *
 * A `span` frame's payload is the fields of an OTLP `Span`. An `origin` frame holds what all spans
 * of that origin share: the length of the encoded resource (u32), the resource, the scope; a later
 * one replaces an earlier one of the same number. The checksum covers everything before it. It is
 * only filled in for frames that go to disk, since frames in memory cannot be cut off.
 */

export const MARKER = 0xc7;
export const SPAN = 1;
export const ORIGIN = 2;
export const HEADER = 8;
export const OVERHEAD = 12;
/** A larger span is not written, and is treated as damage when read. */
export const MAX_PAYLOAD: number = 4 * 1024 * 1024;

/** The encoded data that all spans of one resource and one instrumentation scope share. */
export interface Origin {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
}

/** Begins a frame; the payload follows, then `endFrame` with the position returned here. */
export function beginFrame(writer: ByteWriter, kind: number, origin: number): number {
  writer.reserve(64);
  const start = writer.position;
  const { buffer } = writer;
  buffer[start] = MARKER;
  buffer[start + 1] = kind;
  buffer[start + 2] = origin;
  buffer[start + 3] = origin >>> 8;
  writer.position = start + HEADER;
  return start;
}

export function endFrame(writer: ByteWriter, start: number, withChecksum: boolean): void {
  writer.reserve(4);
  const end = writer.position;
  writer.position = start + 4;
  writer.fixed32(end - start - HEADER);
  writer.position = end;
  writer.fixed32(withChecksum ? crc32(writer.buffer.subarray(start, end)) : 0);
}

export function writeOrigin(writer: ByteWriter, id: number, origin: Origin): number {
  const start = beginFrame(writer, ORIGIN, id);
  writer.reserve(origin.resource.length + origin.scope.length + 16);
  writer.fixed32(origin.resource.length);
  writer.buffer.set(origin.resource, writer.position);
  writer.position += origin.resource.length;
  writer.buffer.set(origin.scope, writer.position);
  writer.position += origin.scope.length;
  endFrame(writer, start, true);
  return start;
}

/** Reads the payload of an `origin` frame, copied out; undefined if it is invalid. */
export function readOrigin(buffer: Buffer, start: number): Origin | undefined {
  const end = start + HEADER + payloadLength(buffer, start);
  const from = start + HEADER + 4;
  if (from > end) return undefined;
  const split = from + buffer.readUInt32LE(start + HEADER);
  if (split > end) return undefined;
  return {
    resource: Uint8Array.prototype.slice.call(buffer, from, split),
    scope: Uint8Array.prototype.slice.call(buffer, split, end),
  };
}

export function kindAt(buffer: Buffer, start: number): number {
  return buffer[start + 1] as number;
}

export function originAt(buffer: Buffer, start: number): number {
  return (buffer[start + 2] as number) | ((buffer[start + 3] as number) << 8);
}

export function payloadLength(buffer: Buffer, start: number): number {
  return buffer.readUInt32LE(start + 4);
}

/** Returns the start of the frame after the one at `start`. */
export function nextFrame(buffer: Buffer, start: number): number {
  return start + OVERHEAD + payloadLength(buffer, start);
}

/** Whether a complete frame with the right checksum begins at `start`. */
export function isSound(buffer: Buffer, start: number): boolean {
  if (start + OVERHEAD > buffer.length || buffer[start] !== MARKER) return false;
  const kind = kindAt(buffer, start);
  if (kind !== SPAN && kind !== ORIGIN) return false;
  const length = payloadLength(buffer, start);
  const end = start + HEADER + length;
  if (length > MAX_PAYLOAD || end + 4 > buffer.length) return false;
  return crc32(buffer.subarray(start, end)) === buffer.readUInt32LE(end);
}

/** Damage found while reading a file of frames. */
export interface FrameDamage {
  /** The number of byte ranges that were not valid frames, including the last one. */
  damaged: number;
  /**
   * Whether the file ends in the middle of a frame, as it does if the process was killed while
   * writing one.
   */
  truncated: boolean;
}

/**
 * Calls `onFrame` with the start of each valid frame from `from` on, and `onDamage` with the start
 * of each damaged range. After a damaged frame it looks for the next valid one, so that damage
 * affects no other frames.
 */
export function scanFrames(
  buffer: Buffer,
  from: number,
  onFrame: (start: number) => void,
  onDamage: (start: number) => void = () => undefined,
): FrameDamage {
  const found: FrameDamage = { damaged: 0, truncated: false };
  let start = from;
  while (start < buffer.length) {
    if (isSound(buffer, start)) {
      onFrame(start);
      start = nextFrame(buffer, start);
      continue;
    }
    onDamage(start);
    let next = start + 1;
    while (next < buffer.length && !isSound(buffer, next)) {
      next = buffer.indexOf(MARKER, next + 1);
      if (next === -1) next = buffer.length;
    }
    if (next >= buffer.length) found.truncated = true;
    else found.damaged++;
    start = next;
  }
  return found;
}
