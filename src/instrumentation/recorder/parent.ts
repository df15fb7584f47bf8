import { isSpanContextValid, trace, type Context, type SpanContext } from '@opentelemetry/api';

/** The last one that was valid: to look at its ids again would cost more than all the rest of this. */
let lastValid: SpanContext | undefined;

/** Whether a tracer takes `span` for a parent: to a sampler one that is not valid is none. */
export function isValidParent(span: SpanContext): boolean {
  if (span === lastValid) return true;
  if (!isSpanContextValid(span)) return false;
  lastValid = span;
  return true;
}

/**
 * Whether a span under `context` would have a parent, in this process or in another. Never throws,
 * whoever made the parent: it is asked in the middle of the application's call.
 */
export function hasParent(context: Context): boolean {
  try {
    const span = trace.getSpanContext(context);
    return span !== undefined && isValidParent(span);
  } catch {
    return true;
  }
}
