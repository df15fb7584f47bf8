/*
 * OTLP's JSON form of spans, as far as it is read here. Ids are hex, times are nanoseconds as
 * decimal strings, and a field that has its default value may be left out.
 */

export interface OtlpRequest {
  resourceSpans?: { scopeSpans?: { spans?: OtlpSpan[] }[] }[];
}

export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number | string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status?: { code?: number | string; message?: string };
  attributes?: { key: string; value: OtlpValue }[];
}

export interface OtlpValue {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number;
  boolValue?: boolean;
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** The kind's name; OTLP writes it as a number or as `SPAN_KIND_CLIENT`. */
export function kindOf(span: OtlpSpan): string {
  return typeof span.kind === 'string'
    ? span.kind.replace('SPAN_KIND_', '')
    : (KINDS[span.kind ?? 0] ?? 'UNSPECIFIED');
}

export function hasFailed(span: OtlpSpan): boolean {
  return span.status?.code === 2 || span.status?.code === 'STATUS_CODE_ERROR';
}

/** The scalar value of an attribute, as text. */
export function attributeOf(span: OtlpSpan, key: string): string | undefined {
  const value = span.attributes?.find((attribute) => attribute.key === key)?.value;
  const scalar =
    value?.stringValue ?? value?.intValue ?? value?.doubleValue ?? value?.boolValue ?? undefined;
  return scalar === undefined ? undefined : String(scalar);
}

/** From start to end, in milliseconds. */
export function durationOf(span: OtlpSpan): number {
  return Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
}
