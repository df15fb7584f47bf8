/*
 * OTLP/JSON for tests of the viewer, written by hand: short ids are padded with zeros.
 */

export interface TestSpan {
  id: string;
  parent?: string;
  trace?: string;
  name?: string;
  kind?: number;
  /** Milliseconds since the test's own midnight. */
  start?: number;
  end?: number;
  service?: string;
  host?: string | undefined;
  attributes?: Record<string, unknown>;
  failed?: string;
  events?: { name: string; at?: number; attributes?: Record<string, unknown> }[];
  links?: { trace: string; span: string; attributes?: Record<string, unknown> }[];
}

export const MIDNIGHT = 1_790_000_000_000;

export const traceId = (id: string): string => id.padStart(32, '0');
export const spanId = (id: string): string => id.padStart(16, '0');

/** An export request with these spans. */
export function otlp(...spans: TestSpan[]): { resourceSpans: object[] } {
  return {
    resourceSpans: spans.map((span) => {
      const { service = 'shop', host = 'one' } = { ...span };
      const hasHost = !('host' in span) || span.host !== undefined;
      const resource = {
        'service.name': service,
        ...(hasHost ? { 'host.name': host, ip: host } : {}),
      };
      return {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: 'test', version: '1' }, spans: [spanOf(span)] }],
      };
    }),
  };
}

function spanOf(span: TestSpan): object {
  const { id, parent, trace = 'f0', name = id, kind = parent ? 3 : 2, start = 0 } = span;
  const { end = start + 10, failed, events = [], links = [] } = span;
  return {
    traceId: traceId(trace),
    spanId: spanId(id),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    name,
    kind,
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(end),
    attributes: attributes(span.attributes ?? {}),
    ...(failed === undefined ? {} : { status: { code: 2, message: failed } }),
    events: events.map((event) => ({
      name: event.name,
      timeUnixNano: nanos(event.at ?? start),
      attributes: attributes(event.attributes ?? {}),
    })),
    links: links.map((link) => ({
      traceId: traceId(link.trace),
      spanId: spanId(link.span),
      attributes: attributes(link.attributes ?? {}),
    })),
  };
}

export function nanos(millis: number): string {
  return String(BigInt(MIDNIGHT) * 1_000_000n + BigInt(Math.round(millis * 1e6)));
}

export function attributes(values: Record<string, unknown>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } };
  return { kvlistValue: { values: attributes(value as Record<string, unknown>) } };
}
