import type { AttributeValue, SpanKind } from './model.ts';
import type { Origin, Span, SpanEvent, SpanLink, StatusCode, StoredAttribute } from './span.ts';

/*
 * Reads OTLP/JSON into spans. Ids are hexadecimal, times are nanoseconds as decimal strings or
 * numbers, enumerations are numbers or their names, and a field that has its default value may be
 * missing. All of it comes from outside: what is no span is refused by a RangeError or TypeError
 * that names the field.
 */

type Json = { readonly [key: string]: unknown };

const KINDS: readonly SpanKind[] = [
  'UNSPECIFIED',
  'INTERNAL',
  'SERVER',
  'CLIENT',
  'PRODUCER',
  'CONSUMER',
];
const STATUSES: readonly StatusCode[] = ['UNSET', 'OK', 'ERROR'];
const NO_ID = /^0*$/;
const MAX_DEPTH = 32;
/** A time is an unsigned number of 64 bits; a later one is beyond what a `Date` holds, too. */
const MAX_NANOS = 2n ** 64n - 1n;

/** The spans of an export request, in the order in which they stand there. */
export function readOtlp(request: unknown): Span[] {
  const spans: Span[] = [];
  for (const resourceSpans of listOf(objectOf(request, 'the request'), 'resourceSpans')) {
    const resource = attributesOf(objectOf(resourceSpans['resource'] ?? {}, 'resource'));
    for (const scopeSpans of listOf(resourceSpans, 'scopeSpans')) {
      const scope = objectOf(scopeSpans['scope'] ?? {}, 'scope');
      const origin: Origin = {
        service: serviceOf(resource),
        resource,
        scope: { name: stringOf(scope, 'name'), version: stringOf(scope, 'version') },
      };
      for (const span of listOf(scopeSpans, 'spans')) spans.push(readSpan(span, origin));
    }
  }
  return spans;
}

/** Jaeger's words for services without a usable name. */
function serviceOf(resource: readonly StoredAttribute[]): string {
  const name = resource.find(([key]) => key === 'service.name');
  if (!name) return 'missing-service-name';
  if (typeof name[1] !== 'string') return 'service-name-wrong-type';
  return name[1] === '' ? 'empty-service-name' : name[1];
}

function readSpan(json: Json, origin: Origin): Span {
  const parentId = idOf(json, 'parentSpanId', 16, true);
  const status = objectOf(json['status'] ?? {}, 'status');
  const attributes = attributesOf(json);
  const events = listOf(json, 'events').map(readEvent);
  const links = listOf(json, 'links').map(readLink);
  const name = stringOf(json, 'name');
  const message = stringOf(status, 'message');
  return {
    traceId: idOf(json, 'traceId', 32) ?? '',
    spanId: idOf(json, 'spanId', 16) ?? '',
    parentId,
    // As Jaeger calls it.
    name: name === '' ? 'empty-span-name' : name,
    kind: enumOf(json['kind'], 'SPAN_KIND_', KINDS),
    startNanos: nanosOf(json, 'startTimeUnixNano'),
    endNanos: nanosOf(json, 'endTimeUnixNano'),
    status: { code: enumOf(status['code'], 'STATUS_CODE_', STATUSES), message },
    attributes,
    events,
    links,
    traceState: stringOf(json, 'traceState'),
    dropped: {
      attributes: countOf(json, 'droppedAttributesCount'),
      events: countOf(json, 'droppedEventsCount'),
      links: countOf(json, 'droppedLinksCount'),
    },
    origin,
    bytes:
      500 + 2 * (name.length + message.length) + sizeOf(attributes) + sizeOfParts(events, links),
  };
}

function readEvent(json: Json): SpanEvent {
  const name = stringOf(json, 'name');
  return { name, timeNanos: nanosOf(json, 'timeUnixNano'), attributes: attributesOf(json) };
}

function readLink(json: Json): SpanLink {
  return {
    traceId: idOf(json, 'traceId', 32, true) ?? '',
    spanId: idOf(json, 'spanId', 16, true) ?? '',
    attributes: attributesOf(json),
  };
}

function attributesOf(json: Json): StoredAttribute[] {
  return listOf(json, 'attributes').map((entry) => {
    const key = stringOf(entry, 'key');
    const value = valueOf(entry['value'], 0);
    const type = typeOf(entry['value'] as Json | undefined, value);
    return type === undefined ? [key, value] : [key, value, type];
  });
}

function typeOf(json: Json | undefined, value: AttributeValue): StoredAttribute[2] {
  if (json?.['stringValue'] !== undefined) return undefined;
  if (json?.['bytesValue'] !== undefined) return 'bytes';
  if (json?.['intValue'] !== undefined) return typeof value === 'string' ? 'int' : undefined;
  return json?.['doubleValue'] !== undefined && !isFraction(value) ? 'double' : undefined;
}

const isFraction = (value: AttributeValue): boolean =>
  typeof value === 'number' && !Number.isInteger(value);

function valueOf(value: unknown, depth: number): AttributeValue {
  if (value === undefined || value === null) return null;
  if (depth > MAX_DEPTH) throw new RangeError(`a value is nested deeper than ${MAX_DEPTH}`);
  const json = objectOf(value, 'value');
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = json;
  if (typeof stringValue === 'string') return stringValue;
  if (typeof boolValue === 'boolean') return boolValue;
  if (intValue !== undefined) return integerOf(intValue);
  // Proto3's JSON writes NaN and infinities as words.
  if (doubleValue !== undefined) {
    return typeof doubleValue === 'number' ? doubleValue : textValue(doubleValue);
  }
  if (json['arrayValue'] !== undefined) {
    const { values } = objectOf(json['arrayValue'], 'arrayValue');
    return arrayOf(values, 'values').map((item) => valueOf(item, depth + 1));
  }
  if (json['kvlistValue'] !== undefined) {
    const list = objectOf(json['kvlistValue'], 'kvlistValue');
    const entries = listOf(list, 'values').map(
      (entry) => [stringOf(entry, 'key'), valueOf(entry['value'], depth + 1)] as const,
    );
    return Object.fromEntries(entries);
  }
  return bytesValue === undefined ? null : textValue(bytesValue);
}

/** A number where it can be one exactly, else the decimal digits. */
function integerOf(value: unknown): number | string {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return value;
  if (typeof value === 'number') return value;
  throw new TypeError(`intValue is not an integer: ${shown(value)}`);
}

function textValue(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`a value is ${shown(value)}`);
}

function nanosOf(json: Json, key: string): bigint {
  const value = json[key] ?? 0;
  const nanos =
    typeof value === 'string' && /^\d{1,20}$/.test(value)
      ? BigInt(value)
      : typeof value === 'number' && Number.isFinite(value)
        ? BigInt(Math.trunc(value))
        : -1n;
  if (nanos >= 0n && nanos <= MAX_NANOS) return nanos;
  throw new TypeError(`${key} is not a time in nanoseconds: ${shown(value)}`);
}

/** An id in lower case; absent where it is optional and empty or all zeros. */
function idOf(json: Json, key: string, digits: number, optional = false): string | undefined {
  const value = json[key] ?? '';
  if (typeof value === 'string') {
    if (optional && NO_ID.test(value)) return undefined;
    if (value.length === digits && /^[0-9a-f]+$/i.test(value) && !NO_ID.test(value)) {
      return value.toLowerCase();
    }
  }
  throw new TypeError(`${key} has to be ${digits} hexadecimal digits, not all 0: ${shown(value)}`);
}

function enumOf<Name extends string>(value: unknown, prefix: string, names: readonly Name[]): Name {
  const name = typeof value === 'string' ? value.replace(prefix, '') : names[Number(value ?? 0)];
  return names.find((one) => one === name) ?? (names[0] as Name);
}

function countOf(json: Json, key: string): number {
  const count = Number(json[key] ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function stringOf(json: Json, key: string): string {
  const value = json[key] ?? '';
  if (typeof value === 'string') return value;
  throw new TypeError(`${key} is not a text: ${shown(value)}`);
}

function listOf(json: Json, key: string): Json[] {
  return arrayOf(json[key], key).map((item) => objectOf(item, key));
}

function arrayOf(value: unknown, key: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`${key} is not an array: ${shown(value)}`);
}

function objectOf(value: unknown, key: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new TypeError(`${key} is not an object: ${shown(value)}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function sizeOfParts(events: readonly SpanEvent[], links: readonly SpanLink[]): number {
  let size = 0;
  for (const { name, attributes } of events) size += 100 + 2 * name.length + sizeOf(attributes);
  for (const { attributes } of links) size += 200 + sizeOf(attributes);
  return size;
}

function sizeOf(attributes: readonly StoredAttribute[]): number {
  let size = 0;
  for (const [key, value] of attributes) size += 64 + 2 * key.length + sizeOfValue(value);
  return size;
}

function sizeOfValue(value: AttributeValue): number {
  if (typeof value === 'string') return 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 32;
  for (const [key, item] of Object.entries(value)) size += 2 * key.length + sizeOfValue(item);
  return size;
}
