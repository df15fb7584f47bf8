import { readFields } from './otlp-response.ts';

/*
 * Converts an OTLP trace request from protobuf to OTLP/JSON, off the application's thread: spans
 * are encoded once, whichever protocol the collector uses. Each table lists the names of a
 * message's fields and how to read them.
 */

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Message = Record<number, Entry>;
type Entry = { name: string; many?: boolean } & (
  | {
      as: 'text' | 'hex' | 'base64' | 'number' | 'boolean' | 'int64' | 'nanos' | 'double' | 'flags';
    }
  | { as: 'message'; of: () => Message }
);

const KEY_VALUE: Message = {
  1: { name: 'key', as: 'text' },
  2: { name: 'value', as: 'message', of: () => ANY_VALUE },
};

const ARRAY: Message = { 1: { name: 'values', as: 'message', of: () => ANY_VALUE, many: true } };
const MAP: Message = { 1: { name: 'values', as: 'message', of: () => KEY_VALUE, many: true } };

const ANY_VALUE: Message = {
  1: { name: 'stringValue', as: 'text' },
  2: { name: 'boolValue', as: 'boolean' },
  3: { name: 'intValue', as: 'int64' },
  4: { name: 'doubleValue', as: 'double' },
  5: { name: 'arrayValue', as: 'message', of: () => ARRAY },
  6: { name: 'kvlistValue', as: 'message', of: () => MAP },
  7: { name: 'bytesValue', as: 'base64' },
};

const attributes = { name: 'attributes', as: 'message', of: () => KEY_VALUE, many: true } as const;
const dropped = { name: 'droppedAttributesCount', as: 'number' } as const;

const EVENT: Message = {
  1: { name: 'timeUnixNano', as: 'nanos' },
  2: { name: 'name', as: 'text' },
  3: attributes,
  4: dropped,
};

const LINK: Message = {
  1: { name: 'traceId', as: 'hex' },
  2: { name: 'spanId', as: 'hex' },
  3: { name: 'traceState', as: 'text' },
  4: attributes,
  5: dropped,
  6: { name: 'flags', as: 'flags' },
};

const STATUS: Message = {
  2: { name: 'message', as: 'text' },
  3: { name: 'code', as: 'number' },
};

const SPAN: Message = {
  1: { name: 'traceId', as: 'hex' },
  2: { name: 'spanId', as: 'hex' },
  3: { name: 'traceState', as: 'text' },
  4: { name: 'parentSpanId', as: 'hex' },
  5: { name: 'name', as: 'text' },
  6: { name: 'kind', as: 'number' },
  7: { name: 'startTimeUnixNano', as: 'nanos' },
  8: { name: 'endTimeUnixNano', as: 'nanos' },
  9: attributes,
  10: dropped,
  11: { name: 'events', as: 'message', of: () => EVENT, many: true },
  12: { name: 'droppedEventsCount', as: 'number' },
  13: { name: 'links', as: 'message', of: () => LINK, many: true },
  14: { name: 'droppedLinksCount', as: 'number' },
  15: { name: 'status', as: 'message', of: () => STATUS },
  16: { name: 'flags', as: 'flags' },
};

const SCOPE: Message = { 1: { name: 'name', as: 'text' }, 2: { name: 'version', as: 'text' } };
const RESOURCE: Message = { 1: attributes };

const SCOPE_SPANS: Message = {
  1: { name: 'scope', as: 'message', of: () => SCOPE },
  2: { name: 'spans', as: 'message', of: () => SPAN, many: true },
  3: { name: 'schemaUrl', as: 'text' },
};

const RESOURCE_SPANS: Message = {
  1: { name: 'resource', as: 'message', of: () => RESOURCE },
  2: { name: 'scopeSpans', as: 'message', of: () => SCOPE_SPANS, many: true },
  3: { name: 'schemaUrl', as: 'text' },
};

const REQUEST: Message = {
  1: { name: 'resourceSpans', as: 'message', of: () => RESOURCE_SPANS, many: true },
};

/** A value in a list in a value counts as two levels; the viewer accepts 32 nested values. */
const MAX_DEPTH = 100;

/** Returns the same request in OTLP/JSON. */
export function protobufToJson(request: Buffer): Buffer {
  return Buffer.from(JSON.stringify(readRequest(request)));
}

/**
 * Returns the same request as the value that OTLP/JSON encodes. Throws a RangeError if the bytes
 * are not a request, or contain messages nested more deeply than any request of a sender.
 */
export function readRequest(request: Buffer): unknown {
  return read(request, REQUEST, 0);
}

function read(bytes: Buffer, message: Message, depth: number): Json {
  if (depth > MAX_DEPTH) throw new RangeError(`messages are nested deeper than ${MAX_DEPTH}`);
  const result: { [key: string]: Json } = {};
  readFields(bytes, (number, value, content) => {
    const entry = message[number];
    if (!entry) return;
    const json = readEntry(entry, value, content, depth);
    if (!entry.many) result[entry.name] = json;
    else ((result[entry.name] ??= []) as Json[]).push(json);
  });
  return result;
}

function readEntry(entry: Entry, value: number, content: Buffer, depth: number): Json {
  switch (entry.as) {
    case 'message':
      return read(content, entry.of(), depth + 1);
    case 'text':
      return content.toString('utf8');
    case 'hex':
      return content.toString('hex');
    case 'base64':
      return content.toString('base64');
    case 'boolean':
      return value !== 0;
    case 'nanos':
      return ofBytes(entry, content, 8).readBigUInt64LE(0).toString();
    case 'double':
      return readDouble(ofBytes(entry, content, 8).readDoubleLE(0));
    case 'flags':
      return ofBytes(entry, content, 4).readUInt32LE(0);
    case 'int64':
      return readInt64(ofBytes(entry, content, 1, 10));
    default:
      return value;
  }
}

/** Returns `content` if it has the length of such a field; it may come from another wire type. */
function ofBytes({ name }: Entry, content: Buffer, least: number, most = least): Buffer {
  if (content.length >= least && content.length <= most) return content;
  throw new RangeError(`${name} is a field of ${content.length} bytes, which it cannot be`);
}

/** JSON has no NaN and no infinities; the JSON mapping of proto3 writes them as strings. */
function readDouble(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * Two's complement: a negative number arrives as a varint near 2^64, which a double cannot hold.
 */
function readInt64(varint: Buffer): string {
  let value = 0n;
  for (let i = varint.length - 1; i >= 0; i--) {
    value = (value << 7n) | BigInt((varint[i] as number) & 127);
  }
  return BigInt.asIntN(64, value).toString();
}
