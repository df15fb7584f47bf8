import {
  defaultTextMapSetter,
  isSpanContextValid,
  trace,
  TraceFlags,
  type Context,
  type TextMapPropagator,
} from '@opentelemetry/api';

/**
 * `text` with the trace context of `context` appended as a comment, by the sqlcommenter format.
 * A text that has a comment already is left as it is, since the format allows for one.
 */
export function withComment(
  text: string,
  context: Context,
  commenter: true | TextMapPropagator,
): string {
  if (text.includes('--') || text.includes('/*') || text.trim() === '') return text;
  const carrier: Record<string, string> = {};
  if (commenter === true) injectTraceContext(context, carrier);
  else commenter.inject(context, carrier, defaultTextMapSetter);
  const pairs = Object.entries(carrier)
    .filter(([, value]) => typeof value === 'string')
    .map(([key, value]) => `${quoted(key)}='${quoted(value)}'`)
    .sort();
  return pairs.length === 0 ? text : `${text} /*${pairs.join(',')}*/`;
}

/** What `W3CTraceContextPropagator` would inject; it is of another package. */
function injectTraceContext(context: Context, carrier: Record<string, string>): void {
  const spanContext = trace.getSpanContext(context);
  if (!spanContext || !isSpanContextValid(spanContext)) return;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const flags = (traceFlags ?? TraceFlags.NONE).toString(16).padStart(2, '0');
  carrier['traceparent'] = `00-${traceId}-${spanId}-${flags}`;
  const state = traceState?.serialize();
  if (state) carrier['tracestate'] = state;
}

/** Percent-encoded, with what could end the quote or the comment as well. */
function quoted(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
