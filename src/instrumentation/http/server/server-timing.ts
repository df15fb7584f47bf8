import { isSpanContextValid, TraceFlags, type SpanContext } from '@opentelemetry/api';

import type { InFlight } from './request-context.ts';

/*
 * `Server-Timing: traceparent;desc="00-<trace>-<span>-01"`, by which a page in a browser finds the
 * trace of its request.
 */

interface Response {
  readonly headersSent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: string | string[]): unknown;
}

/** Adds the header, and lets scripts of other origins read it. */
export function sendServerTiming(response: Response, { span }: InFlight): void {
  if (span === undefined || response.headersSent) return;
  const spanContext = span.spanContext();
  if (!isSpanContextValid(spanContext)) return;
  add(response, 'Server-Timing', `traceparent;desc="${traceParent(spanContext)}"`);
  add(response, 'Access-Control-Expose-Headers', 'Server-Timing');
}

function add(response: Response, name: string, value: string): void {
  const before = response.getHeader(name);
  response.setHeader(
    name,
    before === undefined ? value : [before].flat().concat(value).map(String),
  );
}

function traceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  const flags = (traceFlags ?? TraceFlags.NONE).toString(16).padStart(2, '0');
  return `00-${traceId}-${spanId}-${flags}`;
}
