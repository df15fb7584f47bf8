import { createContextKey, type Context } from '@opentelemetry/api';

/**
 * The key under which `suppressTracing` of `@opentelemetry/core` leaves its mark: context keys are
 * registered symbols, so the name is all that two packages need to agree on.
 */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Whether work in `context` is to be neither traced nor measured. */
export function isSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true;
}

/** `context` in which nothing is traced or measured. */
export function suppressed(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING, true);
}
