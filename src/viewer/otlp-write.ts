import type { AdjustedSpan } from './adjust.ts';
import type { AttributeValue } from './model.ts';
import type { Origin, Span, StoredAttribute } from './span.ts';

/*
 * Spans as OTLP/JSON: what a collector takes at `/v1/traces`, and Jaeger's query API v3 answers.
 */

type Json = Record<string, unknown>;

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUSES = ['UNSET', 'OK', 'ERROR'];

/** An export request with these spans, as they were sent. */
export function otlpOf(spans: Iterable<Span>): { resourceSpans: Json[] } {
  return group(spans, (span) => [span.origin, spanJson(span)]);
}

/** The same with what Jaeger changes: ids, ends, and an attribute for the warnings. */
export function otlpOfAdjusted(spans: Iterable<AdjustedSpan>): { resourceSpans: Json[] } {
  return group(spans, ({ span, spanId, parentId, endNanos, warnings }) => {
    const json = spanJson(span);
    json['spanId'] = spanId;
    if (parentId !== undefined) json['parentSpanId'] = parentId;
    json['endTimeUnixNano'] = String(endNanos);
    const links = (json['links'] as Json[] | undefined)?.filter((link) => link['traceId'] !== '');
    if (links) json['links'] = links;
    if (warnings.length > 0) {
      const value = { arrayValue: { values: warnings.map((text) => ({ stringValue: text })) } };
      const attributes = (json['attributes'] ??= []) as Json[];
      attributes.push({ key: '@jaeger@warnings', value });
    }
    return [span.origin, json];
  });
}

function group<Item>(
  items: Iterable<Item>,
  read: (item: Item) => [Origin, Json],
): { resourceSpans: Json[] } {
  const resources = new Map<
    string,
    { resource: Json; scopes: Map<string, Json[]>; names: Json[] }
  >();
  for (const item of items) {
    const [{ resource, scope }, span] = read(item);
    const key = JSON.stringify(resource);
    let place = resources.get(key);
    if (!place) {
      place = { resource: { attributes: attributesJson(resource) }, scopes: new Map(), names: [] };
      resources.set(key, place);
    }
    const name = JSON.stringify([scope.name, scope.version]);
    let spans = place.scopes.get(name);
    if (!spans) {
      place.scopes.set(name, (spans = []));
      const version = scope.version === '' ? {} : { version: scope.version };
      place.names.push({ scope: { name: scope.name, ...version }, spans });
    }
    spans.push(span);
  }
  const resourceSpans = [...resources.values()].map(({ resource, names }) => ({
    resource,
    scopeSpans: names,
  }));
  return { resourceSpans };
}

function spanJson(span: Span): Json {
  const { traceId, spanId, parentId, traceState, status, events, links, dropped } = span;
  const json: Json = { traceId, spanId };
  if (traceState !== '') json['traceState'] = traceState;
  if (parentId !== undefined) json['parentSpanId'] = parentId;
  json['name'] = span.name;
  json['kind'] = KINDS.indexOf(span.kind);
  json['startTimeUnixNano'] = String(span.startNanos);
  json['endTimeUnixNano'] = String(span.endNanos);
  json['attributes'] = attributesJson(span.attributes);
  if (events.length > 0) {
    json['events'] = events.map(({ name, timeNanos, attributes }) => ({
      timeUnixNano: String(timeNanos),
      name,
      attributes: attributesJson(attributes),
    }));
  }
  if (links.length > 0) {
    json['links'] = links.map((link) => ({ ...link, attributes: attributesJson(link.attributes) }));
  }
  if (status.code !== 'UNSET' || status.message !== '') {
    const message = status.message === '' ? {} : { message: status.message };
    json['status'] = { ...message, code: STATUSES.indexOf(status.code) };
  }
  if (dropped.attributes > 0) json['droppedAttributesCount'] = dropped.attributes;
  if (dropped.events > 0) json['droppedEventsCount'] = dropped.events;
  if (dropped.links > 0) json['droppedLinksCount'] = dropped.links;
  return json;
}

function attributesJson(attributes: readonly StoredAttribute[]): Json[] {
  return attributes.map(([key, value, type]) => ({ key, value: valueJson(value, type) }));
}

function valueJson(value: AttributeValue, type?: StoredAttribute[2]): Json {
  if (typeof value === 'string') {
    if (type === 'bytes') return { bytesValue: value };
    if (type === 'int') return { intValue: value };
    return type === 'double' ? { doubleValue: value } : { stringValue: value };
  }
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    const isInteger = Number.isInteger(value) && type !== 'double';
    return isInteger ? { intValue: String(value) } : { doubleValue: value };
  }
  if (value === null) return {};
  if (Array.isArray(value)) return { arrayValue: { values: value.map((item) => valueJson(item)) } };
  const values = Object.entries(value).map(([key, item]) => ({ key, value: valueJson(item) }));
  return { kvlistValue: { values } };
}
