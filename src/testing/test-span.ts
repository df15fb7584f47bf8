import { SpanKind, SpanStatusCode, type Attributes, type HrTime } from '@opentelemetry/api';
import type { ReadableSpan } from '../export/sdk/sdk-types.ts';

import { creationLine, formatStack, type CapturedStack } from '../tracer/stack.ts';

/** A span as a test sees it: plain data that no longer changes. */
export interface TestSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for a root. */
  readonly parentSpanId: string | undefined;
  /**
   * Whether the parent is a span of another process, or was received in the headers of a request.
   */
  readonly hasRemoteParent: boolean;
  readonly attributes: Readonly<Attributes>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Attributes> }[];
  /** The ids of the spans this one links to. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds; undefined for a span that had not ended when the trace was read. */
  readonly duration: number | undefined;
  /** Name of the instrumentation scope, such as `clew/pg`. */
  readonly scope: string;
  /** The application's line that started the span: `file:line:column`, where one was on the stack. */
  readonly line: string | undefined;
}

const KINDS: Record<SpanKind, TestSpan['kind']> = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
};

const STATUSES: Record<SpanStatusCode, TestSpan['status']> = {
  [SpanStatusCode.UNSET]: 'unset',
  [SpanStatusCode.OK]: 'ok',
  [SpanStatusCode.ERROR]: 'error',
};

/** Copies the fields of a span that a test can use. */
export function toTestSpan(
  span: ReadableSpan,
  stack: CapturedStack | undefined,
  ended: boolean,
): TestSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    kind: KINDS[span.kind],
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    hasRemoteParent: span.parentSpanContext?.isRemote === true,
    attributes: { ...span.attributes },
    events: span.events.map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
    status: STATUSES[span.status.code],
    statusMessage: span.status.message,
    startedAt: millisOf(span.startTime),
    duration: ended ? millisOf(span.duration) : undefined,
    scope: span.instrumentationScope.name,
    line: lineOf(stack),
  };
}

/**
 * Whether it is a query, command or batch of a database client; a wait for a connection has no
 * system.
 */
export function isQuery({ attributes }: TestSpan): boolean {
  return attributes['db.system.name'] !== undefined || attributes['db.system'] !== undefined;
}

/** Databases whose commands contain keys, most of which contain an id: `get user:7`. */
const KEYED_SYSTEMS: ReadonlySet<unknown> = new Set(['redis', 'valkey', 'memcached']);
const IDS = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\b[\da-f]{16,}\b|\d+/gi;

/**
 * Returns how a query, command or batch is shown: its text without literals, otherwise its name.
 */
export function queryText({ name, attributes }: TestSpan): string {
  const text = attributes['db.query.text'] ?? attributes['db.statement'];
  return typeof text === 'string' ? text : name;
}

/** Returns what makes two queries the same: their text, without ids if commands contain keys. */
export function queryOf(span: TestSpan): string {
  const system = span.attributes['db.system.name'] ?? span.attributes['db.system'];
  const text = queryText(span);
  return KEYED_SYSTEMS.has(system) ? text.replaceAll(IDS, '?') : text;
}

/** Groups spans by a key, in their order. */
export function groupSpans<Key>(
  spans: readonly TestSpan[],
  keyOf: (span: TestSpan) => Key,
): Map<Key, TestSpan[]> {
  const groups = new Map<Key, TestSpan[]>();
  for (const span of spans) {
    const key = keyOf(span);
    const group = groups.get(key);
    if (group) group.push(span);
    else groups.set(key, [span]);
  }
  return groups;
}

function millisOf([seconds, nanos]: HrTime): number {
  return seconds * 1e3 + nanos / 1e6;
}

/** Only a line of the application helps; a library's would be the same for every query. */
function lineOf(stack: CapturedStack | undefined): string | undefined {
  const frame = creationLine(formatStack(stack, Infinity) ?? []);
  if (frame === undefined || /node_modules|node:/.test(frame)) return undefined;
  return /\(([^()]+:\d+:\d+)\)$/.exec(frame)?.[1] ?? frame.replace(/^async /, '');
}
