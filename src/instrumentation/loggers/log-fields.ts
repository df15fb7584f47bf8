import { context, isSpanContextValid, trace } from '@opentelemetry/api';

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

/** Names and values of the active span's fields; `undefined` without one. */
export function activeSpanFields(names: Required<LogFields>): [string, string][] | undefined {
  const spanContext = trace.getSpanContext(context.active());
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return undefined;
  const fields: [string, string][] = [];
  if (names.traceId) fields.push([names.traceId, spanContext.traceId]);
  if (names.spanId) fields.push([names.spanId, spanContext.spanId]);
  if (names.traceFlags) {
    fields.push([names.traceFlags, spanContext.traceFlags.toString(16).padStart(2, '0')]);
  }
  return fields;
}
