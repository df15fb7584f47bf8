import type { AdjustedSpan } from '../adjust.ts';
import { plain } from '../search.ts';
import { attributeOf, hasFailed, type Origin, type Span, type StoredAttribute } from '../span.ts';

/*
 * Traces in the JSON of Jaeger's page: what `/api/traces` answers, and the page's upload takes. The
 * names of tags are those that OpenTelemetry's translator gives in Jaeger.
 */

export interface JaegerTag {
  key: string;
  type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  value: string | number | boolean;
}

export interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[];
  /** Microseconds since 1970. */
  startTime: number;
  /** Microseconds. */
  duration: number;
  tags: JaegerTag[];
  logs: { timestamp: number; fields: JaegerTag[] }[];
  processID: string;
  warnings: string[] | null;
}

export interface JaegerTrace {
  traceID: string;
  spans: JaegerSpan[];
  processes: Record<string, { serviceName: string; tags: JaegerTag[] }>;
  warnings: string[] | null;
}

export function jaegerTrace(traceId: string, spans: readonly AdjustedSpan[]): JaegerTrace {
  const processes: JaegerTrace['processes'] = {};
  const ids = new Map<string, string>();
  const processOf = ({ service, resource }: Origin): string => {
    const key = JSON.stringify([service, resource]);
    let id = ids.get(key);
    if (id === undefined) {
      ids.set(key, (id = `p${ids.size + 1}`));
      processes[id] = { serviceName: service, tags: processTags(resource) };
    }
    return id;
  };
  return {
    traceID: shortId(traceId),
    spans: spans.map((one) => jaegerSpan(one, processOf(one.span.origin))),
    processes,
    warnings: null,
  };
}

/** Jaeger leaves out the first half of an id of zeros. */
export function shortId(traceId: string): string {
  return traceId.startsWith('0'.repeat(16)) ? traceId.slice(16) : traceId;
}

function jaegerSpan(one: AdjustedSpan, processID: string): JaegerSpan {
  const { span, spanId, endNanos, warnings } = one;
  return {
    traceID: shortId(span.traceId),
    spanID: spanId,
    operationName: span.name,
    references: referencesOf(one),
    startTime: micros(span.startNanos),
    duration: micros(endNanos - span.startNanos),
    tags: spanTags(span),
    logs: span.events
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .map(({ name, timeNanos, attributes }) => {
        const hasEvent = attributes.some(([key]) => key === 'event');
        const event: JaegerTag[] =
          name === '' || hasEvent ? [] : [{ key: 'event', type: 'string', value: name }];
        return { timestamp: micros(timeNanos), fields: [...event, ...tagsOf(attributes)] };
      }),
    processID,
    warnings: warnings.length > 0 ? warnings : null,
  };
}

/** The parent first; a link to it, or one that says so, changes its type. */
function referencesOf({ span, parentId }: AdjustedSpan): JaegerSpan['references'] {
  const references: JaegerSpan['references'] = [];
  const traceID = shortId(span.traceId);
  if (parentId !== undefined) references.push({ refType: 'CHILD_OF', traceID, spanID: parentId });
  for (const link of span.links) {
    if (link.traceId === '') continue;
    const isChild = attributeOf(link, 'opentracing.ref_type') === 'child_of';
    const refType = isChild ? 'CHILD_OF' : 'FOLLOWS_FROM';
    const [first] = references;
    if (first && link.traceId === span.traceId && link.spanId === parentId) first.refType = refType;
    else references.push({ refType, traceID: shortId(link.traceId), spanID: link.spanId });
  }
  return references;
}

/** Attributes, with what OTLP has in fields of its own, by key. */
export function spanTags(span: Span): JaegerTag[] {
  const { scope } = span.origin;
  const tags = tagsOf(span.attributes.filter(([key]) => !isLibraryKey(key)));
  const add = (key: string, value: string | boolean): void => {
    tags.push({ key, type: typeof value === 'boolean' ? 'bool' : 'string', value });
  };
  if (scope.name !== '') add('otel.scope.name', scope.name);
  if (scope.version !== '') add('otel.scope.version', scope.version);
  if (span.kind !== 'UNSPECIFIED') add('span.kind', span.kind.toLowerCase());
  if (span.status.code !== 'UNSET') add('otel.status_code', span.status.code);
  if (hasFailed(span)) add('error', true);
  if (span.status.message !== '') add('otel.status_description', span.status.message);
  if (span.traceState !== '') add('w3c.tracestate', span.traceState);
  return tags.sort(byKey);
}

export function processTags(resource: readonly StoredAttribute[]): JaegerTag[] {
  return tagsOf(resource.filter(([key]) => key !== 'service.name'));
}

/** Jaeger moves these to the process. */
function isLibraryKey(key: string): boolean {
  return /^telemetry\.(?:sdk\.(?:language|name|version)|distro\.(?:name|version))$/.test(key);
}

function tagsOf(attributes: readonly StoredAttribute[]): JaegerTag[] {
  return attributes.map(tagOf).sort(byKey);
}

function tagOf([key, value, type]: StoredAttribute): JaegerTag {
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  if (typeof value === 'number') {
    const isDouble = type === 'double' || !Number.isInteger(value);
    return { key, type: isDouble ? 'float64' : 'int64', value };
  }
  if (value === null) return { key, type: 'string', value: '' };
  if (typeof value !== 'string') return { key, type: 'string', value: plain(value) };
  const types = { int: 'int64', bytes: 'binary', double: 'float64' } as const;
  return { key, type: type ? types[type] : 'string', value };
}

function byKey(a: JaegerTag, b: JaegerTag): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function micros(nanos: bigint): number {
  return Number(nanos / 1000n);
}
