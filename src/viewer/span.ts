import { requestName } from '../base/request-name.ts';
import type { AttributeValue, SpanKind } from './model.ts';

/*
 * A span as the store keeps it: checked, complete, and never changed. Spans of one export request
 * share their `Origin`.
 */

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Nanoseconds since 1970, as sent. */
  readonly startNanos: bigint;
  /** As sent: may lie before the start. */
  readonly endNanos: bigint;
  readonly status: { readonly code: StatusCode; readonly message: string };
  readonly attributes: readonly StoredAttribute[];
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly traceState: string;
  readonly dropped: { attributes: number; events: number; links: number };
  readonly origin: Origin;
  /** About how many bytes it takes in memory. */
  readonly bytes: number;
}

/**
 * A key and its value, and the type in OTLP where the value alone does not show it: a double without
 * a fraction, an integer that only text can hold, base64 of bytes.
 */
export type StoredAttribute = readonly [
  key: string,
  value: AttributeValue,
  type?: 'double' | 'int' | 'bytes',
];

export type StatusCode = 'UNSET' | 'OK' | 'ERROR';

export interface SpanEvent {
  readonly name: string;
  readonly timeNanos: bigint;
  readonly attributes: readonly StoredAttribute[];
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly StoredAttribute[];
}

/** Where spans come from: OpenTelemetry's `Resource` and the instrumentation scope. */
export interface Origin {
  readonly service: string;
  /** Of the `Resource`, `service.name` among them. */
  readonly resource: readonly StoredAttribute[];
  readonly scope: { readonly name: string; readonly version: string };
}

/** The value of an attribute, or undefined. */
export function attributeOf(
  { attributes }: { readonly attributes: readonly StoredAttribute[] },
  key: string,
): AttributeValue | undefined {
  return attributes.find(([name]) => name === key)?.[1];
}

/** The first of these attributes that is there, as text. */
export function textOf(span: Span, ...keys: string[]): string | undefined {
  for (const key of keys) {
    const value = attributeOf(span, key);
    if (value !== undefined && value !== null && typeof value !== 'object') return String(value);
  }
  return undefined;
}

/** The first of these attributes that is a finite number. */
export function numberOf(span: Span, ...keys: string[]): number | undefined {
  for (const key of keys) {
    const value = attributeOf(span, key);
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

export function hasFailed(span: Span): boolean {
  return span.status.code === 'ERROR';
}

/** The message of a span that failed, else of the last exception that was recorded on it. */
export function failureOf(span: Span): string | undefined {
  if (!hasFailed(span)) return undefined;
  if (span.status.message !== '') return span.status.message;
  const exception = span.events.findLast(({ name }) => name === 'exception');
  if (!exception) return undefined;
  const texts = ['exception.type', 'exception.message'].map((key) => {
    const text = attributeOf(exception, key);
    return typeof text === 'string' ? text : '';
  });
  return texts.filter(Boolean).join(': ') || undefined;
}

/** From start to end in milliseconds; 0 where the end lies before the start. */
export function durationOf({ startNanos, endNanos }: Span): number {
  return endNanos > startNanos ? Number(endNanos - startNanos) / 1e6 : 0;
}

/** Milliseconds since 1970, with a fraction. */
export function millisOf(nanos: bigint): number {
  return Number(nanos / 1000n) / 1e3;
}

/** What a span is called wherever it is shown; Jaeger's API has the names as they were sent. */
export function nameOf(span: Span): string {
  const { name, kind } = span;
  return kind === 'SERVER' ? requestName(name, (key) => attributeOf(span, key)) : name;
}

/** The path of a request, of an outgoing one with its host, where its name does not hold it. */
export function pathOf(span: Span): string | undefined {
  const path = textOf(span, 'url.path', 'http.target') ?? placeOf(span);
  return path && !`/${nameOf(span)}`.includes(path) ? path : undefined;
}

/** `127.0.0.1:3000/orders/7`, without a user and a query: those are in the span's attributes. */
function placeOf(span: Span): string | undefined {
  if (span.kind !== 'CLIENT') return undefined;
  const url = textOf(span, 'url.full', 'http.url');
  return url && /^https?:\/\/(?:[^/?#@]*@)?([^?#]+)/.exec(url)?.[1];
}

/** The status code of HTTP, gRPC or the database. */
export function statusCodeOf(span: Span): string | undefined {
  return textOf(
    span,
    // A call of gRPC goes over HTTP, which answers 200 in any case.
    'rpc.response.status_code',
    'rpc.grpc.status_code',
    'http.response.status_code',
    'http.status_code',
    'db.response.status_code',
  );
}
