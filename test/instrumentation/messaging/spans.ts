import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** What `work` returns, within a span that is called `name`. */
export function inSpan<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  return trace.getTracer('app').startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}

/** The id of the trace that is active. */
export const activeTrace = (): string | undefined => trace.getActiveSpan()?.spanContext().traceId;
export const activeSpan = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;

/** The ids of the spans that `span` is linked to. */
export const linkedTo = (span: ReadableSpan | undefined): string[] =>
  span?.links.map(({ context }) => context.spanId) ?? [];
