import type { HrTime, SpanContext } from '@opentelemetry/api';

import { ByteWriter } from './byte-writer.ts';
import type { EndedSpan, ResourceShape, ScopeShape, SpanEvent, SpanLink } from './span-shape.ts';

/*
 * OTLP spans in protobuf, field by field, straight from the span into the writer: no intermediate
 * objects, so that a span costs the application's thread a microsecond or two and its memory is
 * the bytes that will be sent.
 *
 * A tag is (field number << 3) | wire type, and the numbers are those of
 * opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto.
 */

const MAX_DEPTH = 8;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** Jaeger warns of a span that ends when it starts, and its UI shows microseconds. */
const SHORTEST_NANOS = 1000;

/** Writes the fields of one `Span` message, without a tag or length before them. */
export function encodeSpan(writer: ByteWriter, span: EndedSpan): void {
  const spanContext = span.spanContext();
  writer.reserve(256);
  writer.byte(0x0a);
  writer.hex(spanContext.traceId);
  writer.byte(0x12);
  writer.hex(spanContext.spanId);
  const traceState = spanContext.traceState?.serialize();
  if (traceState) {
    writer.byte(0x1a);
    writer.string(traceState);
  }
  const parent = span.parentSpanContext;
  if (parent?.spanId) {
    writer.reserve(32);
    writer.byte(0x22);
    writer.hex(parent.spanId);
  }
  writer.byte(0x2a);
  writer.string(span.name);
  writer.reserve(64);
  writer.byte(0x30);
  // The API counts kinds from 0 and has no "unspecified", which is OTLP's 0.
  writer.varint(span.kind + 1);
  encodeTimes(writer, span.startTime, span.endTime);
  encodeAttributes(writer, 0x4a, span.attributes);
  encodeCount(writer, 0x50, span.droppedAttributesCount);
  const { events } = span;
  for (let i = 0; i < events.length; i++) encodeEvent(writer, events[i] as SpanEvent);
  encodeCount(writer, 0x60, span.droppedEventsCount);
  const { links } = span;
  for (let i = 0; i < links.length; i++) encodeLink(writer, links[i] as SpanLink);
  encodeCount(writer, 0x70, span.droppedLinksCount);
  encodeStatus(writer, span.status.code, span.status.message);
  writer.reserve(16);
  // Field 16 needs a two-byte tag: (16 << 3) | 5 = 133.
  writer.byte(0x85);
  writer.byte(0x01);
  writer.fixed32(flagsOf(spanContext.traceFlags, parent));
}

/**
 * Writes the fields of `ResourceSpans` that identify the origin of spans: `resource`, `schema_url`.
 */
export function encodeResource(resource: ResourceShape): Uint8Array {
  const writer = new ByteWriter(1024);
  writer.byte(0x0a);
  const start = writer.beginMessage(300);
  encodeAttributes(writer, 0x0a, resource.attributes);
  writer.endMessage(start, 300);
  if (resource.schemaUrl) {
    writer.reserve(1);
    writer.byte(0x1a);
    writer.string(resource.schemaUrl);
  }
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

/** Writes the fields of `ScopeSpans` that identify the creator of spans: `scope`, `schema_url`. */
export function encodeScope(scope: ScopeShape): Uint8Array {
  const writer = new ByteWriter(256);
  writer.byte(0x0a);
  const start = writer.beginMessage(40);
  writer.byte(0x0a);
  writer.string(scope.name);
  if (scope.version) {
    writer.reserve(1);
    writer.byte(0x12);
    writer.string(scope.version);
  }
  writer.endMessage(start, 40);
  if (scope.schemaUrl) {
    writer.reserve(1);
    writer.byte(0x1a);
    writer.string(scope.schemaUrl);
  }
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

function encodeTimes(writer: ByteWriter, start: HrTime, end: HrTime): void {
  writer.byte(0x39);
  writer.nanoseconds(start[0], start[1]);
  writer.byte(0x41);
  const nanos = (end[0] - start[0]) * 1e9 + (end[1] - start[1]);
  if (nanos >= SHORTEST_NANOS) writer.nanoseconds(end[0], end[1]);
  else writer.nanoseconds(start[0], start[1] + SHORTEST_NANOS);
}

function encodeCount(writer: ByteWriter, tag: number, count: number | undefined): void {
  if (!count) return;
  writer.reserve(8);
  writer.byte(tag);
  writer.varint(count);
}

function encodeStatus(writer: ByteWriter, code: number, message: string | undefined): void {
  const expected = (message?.length ?? 0) + 8;
  writer.reserve(16);
  writer.byte(0x7a);
  const start = writer.beginMessage(expected);
  if (message) {
    writer.byte(0x12);
    writer.string(message);
    writer.reserve(8);
  }
  if (code !== 0) {
    writer.byte(0x18);
    writer.varint(code);
  }
  writer.endMessage(start, expected);
}

function encodeEvent(writer: ByteWriter, event: SpanEvent): void {
  writer.reserve(32);
  writer.byte(0x5a);
  const start = writer.beginMessage(200);
  writer.byte(0x09);
  writer.nanoseconds(event.time[0], event.time[1]);
  writer.byte(0x12);
  writer.string(event.name);
  if (event.attributes) encodeAttributes(writer, 0x1a, event.attributes);
  encodeCount(writer, 0x20, event.droppedAttributesCount);
  writer.endMessage(start, 200);
}

function encodeLink(writer: ByteWriter, link: SpanLink): void {
  writer.reserve(64);
  writer.byte(0x6a);
  const start = writer.beginMessage(80);
  writer.byte(0x0a);
  writer.hex(link.context.traceId);
  writer.byte(0x12);
  writer.hex(link.context.spanId);
  const traceState = link.context.traceState?.serialize();
  if (traceState) {
    writer.byte(0x1a);
    writer.string(traceState);
  }
  if (link.attributes) encodeAttributes(writer, 0x22, link.attributes);
  encodeCount(writer, 0x28, link.droppedAttributesCount);
  writer.reserve(8);
  writer.byte(0x35);
  writer.fixed32(flagsOf(link.context.traceFlags, link.context));
  writer.endMessage(start, 80);
}

function flagsOf(traceFlags: number, remote: SpanContext | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (remote?.isRemote ? IS_REMOTE : 0);
}

function encodeAttributes(writer: ByteWriter, tag: number, attributes: object): void {
  for (const key in attributes) {
    if (!Object.hasOwn(attributes, key)) continue;
    encodeKeyValue(writer, tag, key, (attributes as Record<string, unknown>)[key], 0);
  }
}

function encodeKeyValue(
  writer: ByteWriter,
  tag: number,
  key: string,
  value: unknown,
  depth: number,
): void {
  if (value === undefined) return;
  const text = typeof value === 'string' ? value.length : 12;
  const expected = key.length + text + (text < 126 ? 6 : 8);
  writer.reserve(16);
  writer.byte(tag);
  const start = writer.beginMessage(expected);
  writer.byte(0x0a);
  writer.string(key);
  writer.reserve(16);
  writer.byte(0x12);
  encodeAnyValue(writer, value, depth);
  writer.endMessage(start, expected);
}

/** Writes an `AnyValue` with its length before it; its tag has been written. */
function encodeAnyValue(writer: ByteWriter, value: unknown, depth: number): void {
  if (typeof value === 'string') {
    const expected = value.length + (value.length < 128 ? 2 : 3);
    const start = writer.beginMessage(expected);
    writer.byte(0x0a);
    writer.string(value);
    writer.endMessage(start, expected);
    return;
  }
  writer.reserve(32);
  const start = writer.beginMessage(9);
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) {
      writer.byte(0x18);
      writer.int64(value);
    } else {
      writer.byte(0x21);
      writer.double(value);
    }
  } else if (typeof value === 'boolean') {
    writer.byte(0x10);
    writer.byte(value ? 1 : 0);
  } else if (typeof value === 'bigint') {
    writer.byte(0x0a);
    writer.string(value.toString());
  } else if (value instanceof Uint8Array) {
    writer.byte(0x3a);
    writer.bytes(value);
  } else if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH) {
      writer.byte(0x0a);
      writer.string('[nested too deeply]');
    } else if (Array.isArray(value)) encodeArray(writer, value as unknown[], depth + 1);
    else encodeMap(writer, value as Record<string, unknown>, depth + 1);
  }
  writer.endMessage(start, 9);
}

function encodeArray(writer: ByteWriter, values: unknown[], depth: number): void {
  writer.byte(0x2a);
  const start = writer.beginMessage(60);
  for (let i = 0; i < values.length; i++) {
    writer.reserve(16);
    writer.byte(0x0a);
    encodeAnyValue(writer, values[i], depth);
  }
  writer.endMessage(start, 60);
}

function encodeMap(writer: ByteWriter, values: Record<string, unknown>, depth: number): void {
  writer.byte(0x32);
  const start = writer.beginMessage(60);
  for (const key of Object.keys(values)) encodeKeyValue(writer, 0x0a, key, values[key], depth);
  writer.endMessage(start, 60);
}
