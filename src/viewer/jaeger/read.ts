import { readOtlp } from '../otlp.ts';
import type { Span } from '../span.ts';

/*
 * Jaeger's JSON, as its page downloads it, into spans, by way of OTLP/JSON and its checks.
 */

type Json = { readonly [key: string]: unknown };

const ID = /^[0-9a-f]{1,32}$/i;
/** Tags that OTLP has fields for. */
const FIELDS =
  /^(?:span\.kind|otel\.status_code|otel\.status_description|otel\.scope\.(?:name|version)|error|w3c\.tracestate)$/;

/** The spans of `{data: [{traceID, spans, processes}]}`. Throws a TypeError on anything else. */
export function readJaeger(json: unknown): Span[] {
  const { data } = (json ?? {}) as Json;
  if (!Array.isArray(data)) throw new TypeError('data is not an array');
  const resourceSpans: unknown[] = [];
  for (const trace of list(data)) {
    const processes = (trace['processes'] ?? {}) as Record<string, Json | null>;
    for (const span of list(trace['spans'])) {
      const process = processes[String(span['processID'])] ?? {};
      const tags = list(span['tags']);
      const service = { key: 'service.name', value: { stringValue: process['serviceName'] } };
      resourceSpans.push({
        resource: { attributes: [service, ...list(process['tags']).map(attribute)] },
        scopeSpans: [
          {
            scope: { name: tag(tags, 'otel.scope.name'), version: tag(tags, 'otel.scope.version') },
            spans: [otlpSpan(span, tags)],
          },
        ],
      });
    }
  }
  return readOtlp({ resourceSpans });
}

function otlpSpan(span: Json, tags: Json[]): Json {
  const traceId = padded(span['traceID'], 32);
  const references = list(span['references']);
  const parent = references.find(
    (one) => one['refType'] === 'CHILD_OF' && padded(one['traceID'], 32) === traceId,
  );
  const start = BigInt(whole(span['startTime']));
  const code = tag(tags, 'otel.status_code') || (tag(tags, 'error') === 'true' ? 'ERROR' : '');
  return {
    traceId,
    spanId: padded(span['spanID'], 16),
    parentSpanId: parent ? padded(parent['spanID'], 16) : '',
    name: span['operationName'],
    kind: `SPAN_KIND_${tag(tags, 'span.kind').toUpperCase()}`,
    startTimeUnixNano: String(start * 1000n),
    endTimeUnixNano: String((start + BigInt(whole(span['duration']))) * 1000n),
    status: { code: `STATUS_CODE_${code}`, message: tag(tags, 'otel.status_description') },
    traceState: tag(tags, 'w3c.tracestate'),
    attributes: tags.filter((one) => !FIELDS.test(String(one['key']))).map(attribute),
    events: list(span['logs']).map((log) => ({
      timeUnixNano: String(BigInt(whole(log['timestamp'])) * 1000n),
      name: tag(list(log['fields']), 'event'),
      attributes: list(log['fields'])
        .filter((one) => one['key'] !== 'event')
        .map(attribute),
    })),
    links: references
      .filter((one) => one !== parent)
      .map((one) => ({ traceId: padded(one['traceID'], 32), spanId: padded(one['spanID'], 16) })),
  };
}

function attribute({ key, type, value }: Json): Json {
  if (type === 'bool') return { key, value: { boolValue: value === true || value === 'true' } };
  if (type === 'int64') return { key, value: { intValue: value } };
  if (type === 'float64') return { key, value: { doubleValue: value } };
  if (type === 'binary') return { key, value: { bytesValue: value } };
  return { key, value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) } };
}

function tag(tags: readonly Json[], key: string): string {
  const value = tags.find((one) => one['key'] === key)?.['value'];
  return typeof value === 'string' ? value : value === true ? 'true' : '';
}

function list(value: unknown): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError('one of its lists is not an array');
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null)
      throw new TypeError('one of its lists has an item that is not an object');
  }
  return value as Json[];
}

function padded(id: unknown, digits: number): string {
  if (typeof id === 'string' && ID.test(id)) return id.padStart(digits, '0');
  throw new TypeError('one of its ids is not hexadecimal');
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError('one of its times is not a whole number of microseconds');
}
