import { ClewError, describeValue, optionError } from '../base/errors.ts';
import type { AttributeValue } from './model.ts';
import { rowOf } from './request-row.ts';
import { nameOf, type Span, type StoredAttribute } from './span.ts';
import type { Trace, TraceStore } from './store.ts';

/** `RequestQuery` once it is read. */
export interface Search {
  service?: string;
  operation?: string;
  attributes: [key: string, value: string | undefined][];
  minDuration: number;
  maxDuration: number;
  error?: boolean;
  text?: string;
  from: number;
  to: number;
  outside: boolean;
  sort: 'newest' | 'slowest';
  limit: number;
  offset: number;
}

const MAX_LIMIT = 1000;

/** Reads the parameters of a search; `ERR_OPTION` names one that makes no sense. */
export function readSearch(query: URLSearchParams): Search {
  const sort = query.get('sort') || 'newest';
  if (sort !== 'newest' && sort !== 'slowest') {
    throw optionError('sort', '`newest` or `slowest`', sort);
  }
  const error = flagIn(query, 'error');
  const search: Search = {
    attributes: query.getAll('attribute').filter(Boolean).map(readAttribute),
    minDuration: numberIn(query, 'minDuration', 0),
    maxDuration: numberIn(query, 'maxDuration', Infinity),
    from: numberIn(query, 'from', 0),
    to: numberIn(query, 'to', Infinity),
    outside: flagIn(query, 'outside') ?? true,
    sort,
    limit: numberIn(query, 'limit', 100, MAX_LIMIT),
    offset: numberIn(query, 'before', 0),
  };
  if (search.minDuration > search.maxDuration) {
    throw new ClewError('ERR_OPTION', '`minDuration` is above `maxDuration`: nothing can match.');
  }
  const [service, operation, text] = ['service', 'operation', 'q'].map((key) => query.get(key));
  if (service) search.service = service;
  if (operation) search.operation = operation;
  if (text) search.text = text.toLowerCase();
  if (error !== undefined) search.error = error;
  return search;
}

function readAttribute(text: string): [key: string, value: string | undefined] {
  const at = text.indexOf('=');
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function flagIn(query: URLSearchParams, key: string): boolean | undefined {
  const text = query.get(key);
  if (!text) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw optionError(key, '`true` or `false`', text);
}

function numberIn(query: URLSearchParams, key: string, fallback: number, max = Infinity): number {
  const text = query.get(key);
  if (!text) return fallback;
  const value = Number(text);
  if (value >= 0 && value <= max) return value;
  const expected = max === Infinity ? 'a number, 0 or more' : `a number from 0 to ${max}`;
  throw new ClewError(
    'ERR_OPTION',
    `Expected \`${key}\` to be ${expected}, got ${describeValue(text)}.`,
  );
}

/** All traces that match, in the order that was asked for. */
export function findTraces(store: TraceStore, search: Search): Trace[] {
  const found = [...store.traces].filter((trace) => matches(trace, search));
  const rows = new Map(found.map((trace) => [trace, rowOf(trace)]));
  const key = search.sort === 'newest' ? 'startMs' : 'durationMs';
  return found.sort((a, b) => (rows.get(b)?.[key] ?? 0) - (rows.get(a)?.[key] ?? 0));
}

function matches(trace: Trace, search: Search): boolean {
  const { durationMs, startMs, error } = rowOf(trace);
  if (durationMs < search.minDuration || durationMs > search.maxDuration) return false;
  if (startMs > search.to || startMs + durationMs < search.from) return false;
  if (search.error !== undefined && search.error !== error) return false;
  const { service, operation, text } = search;
  const some = (test: (span: Span) => boolean): boolean => trace.spans.some(test);
  if (service !== undefined && !some(({ origin }) => origin.service === service)) return false;
  if (operation !== undefined && !some((span) => nameOf(span) === operation)) return false;
  for (const wanted of search.attributes) {
    if (!some((span) => hasAttribute(span, wanted))) return false;
  }
  return text === undefined || trace.traceId === text || some((span) => contains(span, text));
}

/** Whether a span or its `Resource` has the attribute, of whatever type. */
export function hasAttribute(
  { attributes, origin }: Span,
  [key, value]: readonly [string, string | undefined],
): boolean {
  const test = ([name, found]: StoredAttribute): boolean =>
    name === key && (value === undefined || plain(found) === value);
  return attributes.some(test) || origin.resource.some(test);
}

function contains(span: Span, text: string): boolean {
  const has = (part: string): boolean => part.toLowerCase().includes(text);
  const inAttributes = (attributes: readonly StoredAttribute[]): boolean =>
    attributes.some(([key, value]) => has(key) || has(plain(value)));
  return (
    has(nameOf(span)) ||
    has(span.origin.service) ||
    has(span.status.message) ||
    inAttributes(span.attributes) ||
    span.events.some(({ name, attributes }) => has(name) || inAttributes(attributes))
  );
}

/** A value as text; what has parts, as JSON. */
export function plain(value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
