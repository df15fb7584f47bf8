import { varintLength } from './byte-writer.ts';
import { encodeResource, encodeScope } from './encode-span.ts';
import {
  HEADER,
  kindAt,
  nextFrame,
  originAt,
  payloadLength,
  SPAN,
  type Origin,
} from './frame-format.ts';

/*
 * Builds the body of an `ExportTraceServiceRequest` from frames: the spans are copied as they are,
 * below their resource and scope, which are written once per request.
 */

/** A range of complete frames that is sent as a unit: `count` spans in `buffer[from..to)`. */
export interface Slice {
  readonly buffer: Buffer;
  readonly origins: OriginTable;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Increases with each slice that a producer hands over; 0 for slices read back from disk. */
  readonly sequence: number;
  /** The spool segment that holds the same frames, and their position in its file. */
  readonly segment?: number | undefined;
  readonly offset?: number | undefined;
}

/** The origins that the frames of one producer refer to by number. */
export type OriginTable = Map<number, Origin>;

interface Piece {
  buffer: Buffer;
  start: number;
  length: number;
}

interface ScopeGroup {
  origin: Origin;
  pieces: Piece[];
  /** Bytes of the spans, tags and lengths included. */
  bytes: number;
}

/** The origin of spans whose own origin is damaged on disk; they are still delivered. */
const UNKNOWN_ORIGIN: Origin = {
  resource: encodeResource({
    attributes: { 'service.name': 'unknown_service', 'clew.spool.damaged': true },
  }),
  scope: encodeScope({ name: '' }),
};

/** Builds the request for all spans of `slices`. */
export function buildBody(slices: readonly Slice[]): Buffer {
  const resources = group(slices);
  let size = 0;
  for (const scopes of resources) size += fieldSize(resourceSize(scopes));
  const body = Buffer.allocUnsafe(size);
  let position = 0;
  for (const scopes of resources) {
    position = writeTag(body, position, 0x0a, resourceSize(scopes));
    const first = scopes[0] as ScopeGroup;
    body.set(first.origin.resource, position);
    position += first.origin.resource.length;
    for (const scope of scopes) {
      position = writeTag(body, position, 0x12, scope.origin.scope.length + scope.bytes);
      body.set(scope.origin.scope, position);
      position += scope.origin.scope.length;
      for (const { buffer, start, length } of scope.pieces) {
        position = writeTag(body, position, 0x12, length);
        buffer.copy(body, position, start, start + length);
        position += length;
      }
    }
  }
  return body;
}

/**
 * Splits slices into two halves with about the same number of spans. A single span cannot be split.
 */
export function halve(slices: readonly Slice[]): [Slice[], Slice[]] {
  const total = countSpans(slices);
  const first: Slice[] = [];
  const second: Slice[] = [];
  let wanted = total >> 1;
  for (const slice of slices) {
    if (wanted === 0) second.push(slice);
    else if (slice.count <= wanted) {
      first.push(slice);
      wanted -= slice.count;
    } else {
      const [head, tail] = cut(slice, wanted);
      first.push(head);
      second.push(tail);
      wanted = 0;
    }
  }
  return [first, second];
}

/** Splits `slice` after its first `count` spans. */
export function cut(slice: Slice, count: number): [Slice, Slice] {
  const { buffer, from, to } = slice;
  let position = from;
  for (let left = count; left > 0; position = nextFrame(buffer, position)) {
    if (kindAt(buffer, position) === SPAN) left--;
  }
  return [
    { ...slice, to: position, count },
    { ...slice, from: position, to, count: slice.count - count },
  ];
}

/** How many of the slice's first spans fit into `bytes`, at least one. */
export function spansWithin(slice: Slice, bytes: number): number {
  let count = 0;
  let position = slice.from;
  while (position < slice.to) {
    const next = nextFrame(slice.buffer, position);
    if (kindAt(slice.buffer, position) === SPAN) {
      if (next - slice.from > bytes && count > 0) break;
      count++;
    }
    position = next;
  }
  return count;
}

export function countSpans(slices: readonly Slice[]): number {
  let count = 0;
  for (const slice of slices) count += slice.count;
  return count;
}

export function countBytes(slices: readonly Slice[]): number {
  let bytes = 0;
  for (const slice of slices) bytes += slice.to - slice.from;
  return bytes;
}

/** Groups the spans by resource and then by scope, in order of first appearance. */
function group(slices: readonly Slice[]): ScopeGroup[][] {
  const byOrigin = new Map<Origin, ScopeGroup>();
  const byResource = new Map<Uint8Array, ScopeGroup[]>();
  for (const { buffer, origins, from, to } of slices) {
    for (let start = from; start < to; start = nextFrame(buffer, start)) {
      if (kindAt(buffer, start) !== SPAN) continue;
      const origin = origins.get(originAt(buffer, start)) ?? UNKNOWN_ORIGIN;
      let scope = byOrigin.get(origin);
      if (!scope) {
        byOrigin.set(origin, (scope = { origin, pieces: [], bytes: 0 }));
        const scopes = byResource.get(origin.resource);
        if (scopes) scopes.push(scope);
        else byResource.set(origin.resource, [scope]);
      }
      const length = payloadLength(buffer, start);
      scope.pieces.push({ buffer, start: start + HEADER, length });
      scope.bytes += fieldSize(length);
    }
  }
  return [...byResource.values()];
}

function resourceSize(scopes: readonly ScopeGroup[]): number {
  let size = scopes[0]?.origin.resource.length ?? 0;
  for (const scope of scopes) size += fieldSize(scope.origin.scope.length + scope.bytes);
  return size;
}

function fieldSize(length: number): number {
  return 1 + varintLength(length) + length;
}

function writeTag(body: Buffer, position: number, tag: number, length: number): number {
  let at = position;
  body[at++] = tag;
  let rest = length;
  while (rest > 127) {
    body[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  body[at++] = rest;
  return at;
}
