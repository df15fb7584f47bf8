import { parseGoDuration } from '../go-format.ts';
import { rowOf } from '../request-row.ts';
import { plain } from '../search.ts';
import type { Span } from '../span.ts';
import type { Trace, TraceStore } from '../store.ts';
import { processTags, spanTags, type JaegerTag } from './json.ts';

/** A bad parameter; Jaeger answers it with 400. */
export class QueryError extends Error {}

/** A search of Jaeger's API: one span of a trace has to meet all of it. */
export interface JaegerQuery {
  service: string;
  operation: string;
  /** Microseconds since 1970. */
  start: number;
  end: number;
  /** Nanoseconds. */
  minDuration: bigint;
  maxDuration: bigint;
  tags: Map<string, string>;
  limit: number;
}

const LOOKBACK_MILLIS = 2 * 24 * 3600 * 1000;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1500;

/** Reads the parameters of `/api/traces`. */
export function readQuery(query: URLSearchParams): JaegerQuery {
  const service = query.get('service') ?? '';
  if (service === '') throw new QueryError("parameter 'service' is required");
  const now = Date.now() * 1e3;
  const [minDuration, maxDuration] = [
    durationIn(query, 'minDuration'),
    durationIn(query, 'maxDuration'),
  ];
  if (maxDuration !== 0n && maxDuration < minDuration) {
    throw new QueryError("'maxDuration' should be greater than 'minDuration'");
  }
  return {
    service,
    operation: query.get('operation') ?? '',
    start: integerIn(query, 'start', now - LOOKBACK_MILLIS * 1e3),
    end: integerIn(query, 'end', now),
    minDuration,
    maxDuration,
    tags: tagsIn(query),
    limit: Math.min(integerIn(query, 'limit', DEFAULT_LIMIT), MAX_LIMIT),
  };
}

/** The traces that have such a span, the newest first. */
export function findJaegerTraces(store: TraceStore, query: JaegerQuery): Trace[] {
  return [...store.traces]
    .filter((trace) => trace.spans.some((span) => matches(span, query)))
    .sort((a, b) => rowOf(b).startMs - rowOf(a).startMs)
    .slice(0, Math.max(0, query.limit));
}

function matches(span: Span, query: JaegerQuery): boolean {
  const { startNanos, endNanos, name, origin, events } = span;
  if (origin.service !== query.service) return false;
  if (query.operation !== '' && name !== query.operation) return false;
  const start = Number(startNanos / 1000n);
  if (start < query.start || start > query.end) return false;
  const duration = endNanos - startNanos;
  if (duration < query.minDuration) return false;
  if (query.maxDuration > 0n && duration > query.maxDuration) return false;
  if (query.tags.size === 0) return true;
  const has = (tags: readonly JaegerTag[], key: string, value: string): boolean =>
    tags.some((tag) => tag.key === key && String(tag.value) === value);
  const [own, process] = [spanTags(span), processTags(origin.resource)];
  return [...query.tags].every(
    ([key, value]) =>
      has(own, key, value) ||
      has(process, key, value) ||
      events.some((event) =>
        event.attributes.some(([name, found]) => name === key && plain(found) === value),
      ),
  );
}

/** `tag=key:value`, and `tags={"key":"value"}`. */
function tagsIn(query: URLSearchParams): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of query.getAll('tag')) {
    const at = tag.indexOf(':');
    if (at === -1) {
      throw new QueryError(`malformed 'tag' parameter, expecting key:value, received: ${tag}`);
    }
    tags.set(tag.slice(0, at), tag.slice(at + 1));
  }
  for (const json of query.getAll('tags')) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(json);
    } catch {
      throw new QueryError("malformed 'tags' parameter, cannot unmarshal JSON");
    }
    for (const [key, value] of Object.entries(parsed ?? {})) {
      if (typeof value !== 'string') {
        throw new QueryError("malformed 'tags' parameter, cannot unmarshal JSON");
      }
      tags.set(key, value);
    }
  }
  return tags;
}

export function integerIn(query: URLSearchParams, key: string, fallback: number): number {
  const text = query.get(key) ?? '';
  if (text === '') return fallback;
  if (/^[+-]?\d{1,19}$/.test(text)) return Number(text);
  throw new QueryError(`unable to parse param '${key}': invalid syntax`);
}

function durationIn(query: URLSearchParams, key: string): bigint {
  const text = query.get(key) ?? '';
  if (text === '') return 0n;
  const nanos = parseGoDuration(text);
  if (nanos !== undefined) return nanos;
  throw new QueryError(`unable to parse param '${key}': time: invalid duration`);
}
