import { context, isSpanContextValid, trace, type SpanContext } from '@opentelemetry/api';

import { optionError } from '../../base/errors.ts';

/** The fields that a line of a log gets while a span is active. */
export interface LogFields {
  /** Field of the trace id, 32 hex digits. Default: `trace_id`; false leaves it out. */
  traceId?: string | false;
  /** Field of the span id, 16 hex digits. Default: `span_id`; false leaves it out. */
  spanId?: string | false;
  /** Field of the trace flags, two hex digits (`01`: sampled). Default: `trace_flags`; false leaves it out. */
  traceFlags?: string | false;
}

const KEYS = ['traceId', 'spanId', 'traceFlags'] as const;
/** The names that OpenTelemetry has for logs in formats of their own ("Trace Context in non-OTLP Log Formats"). */
const DEFAULTS: Required<LogFields> = {
  traceId: 'trace_id',
  spanId: 'span_id',
  traceFlags: 'trace_flags',
};

/** Fills in the defaults. A name that is none is an `ERR_OPTION`. */
export function resolveLogFields(fields: LogFields): Required<LogFields> {
  for (const [key, value] of Object.entries(fields)) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw optionError('fields', `made of ${KEYS.join(', ')}`, key);
    }
    if (value !== undefined && value !== false && (typeof value !== 'string' || value === '')) {
      throw optionError(`fields.${key}`, 'a name or false', value);
    }
  }
  return { ...DEFAULTS, ...fields };
}

/** Names in the order of trace id, span id and flags; an empty one leaves its field out. */
export function logFieldsOf(names: readonly string[]): LogFields {
  const fields: LogFields = {};
  KEYS.forEach((key, index) => (fields[key] = names[index]?.trim() || false));
  return fields;
}

/** A field of a line. */
export interface LogField {
  readonly name: string;
  readonly value: string;
  /** The name as JSON has it before a value: `"trace_id":`. */
  readonly jsonName: string;
}

/** Returns the fields of the active span; `undefined` without one. */
export type ReadFields = () => readonly LogField[] | undefined;

/** Makes a reader of the active span's fields under `names`. Lines of one span share what it returns. */
export function fieldsReader(names: Required<LogFields>): ReadFields {
  let last: SpanContext | undefined;
  let fields: readonly LogField[] | undefined;
  return () => {
    const found = trace.getSpanContext(context.active());
    if (found === undefined) return undefined;
    if (last === undefined || !isSame(found, last)) {
      const { traceId, spanId, traceFlags } = found;
      last = { traceId, spanId, traceFlags };
      fields = isSpanContextValid(found) ? fieldsOf(names, last) : undefined;
    }
    return fields;
  };
}

function isSame(one: SpanContext, other: SpanContext): boolean {
  return (
    one.spanId === other.spanId &&
    one.traceId === other.traceId &&
    one.traceFlags === other.traceFlags
  );
}

function fieldsOf(names: Required<LogFields>, spanContext: SpanContext): LogField[] {
  const { traceId, spanId, traceFlags } = spanContext;
  const values = { traceId, spanId, traceFlags: traceFlags.toString(16).padStart(2, '0') };
  return KEYS.flatMap((key) => {
    const name = names[key];
    return name ? [{ name, value: values[key], jsonName: `${JSON.stringify(name)}:` }] : [];
  });
}
