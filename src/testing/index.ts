import { trace } from '@opentelemetry/api';

import { environment } from '../base/environment.ts';
import { optionError } from '../base/errors.ts';
import { patchMissedModules } from '../instrumentation/module-hooks.ts';
import { startIn } from '../start.ts';
import { SpanCollector } from './collector.ts';
import { OWN_SCOPE, TestTrace } from './test-trace.ts';

/*
 * `clew/testing`: assertions about the spans of a piece of work, in any test runner.
 *
 * Loading it starts clew, so that libraries loaded later are instrumented. Spans are not exported
 * unless `OTEL_TRACES_EXPORTER` names an exporter. If clew is already running, it is left as it is.
 */

export { SpanCollector } from './collector.ts';
export type { TestSpan } from './test-span.ts';
export type { ExpectedSpan, ExpectedValue } from './expected-span.ts';
export { TestTrace } from './test-trace.ts';

/** Options of `traceTest`. */
export interface TraceTestOptions {
  /** How long to wait for spans that end after the work has settled, in milliseconds; default 1000. */
  settleMillis?: number;
}

/** The span processor behind `traceTest`, for a tracer provider of your own. */
export const spanCollector: SpanCollector = new SpanCollector();

const clew = startIn({ OTEL_TRACES_EXPORTER: 'none', ...environment() });
clew.addSpanProcessor(spanCollector);

/**
 * Runs `work` and resolves to its trace: the spans it started, and assertions about them. With a
 * `name` the work gets a span of that name, so that calls without a request still make one trace.
 * Rejects with the error of the work.
 */
export async function traceTest<T>(
  work: () => T | Promise<T>,
  options?: TraceTestOptions,
): Promise<TestTrace<T>>;
export async function traceTest<T>(
  name: string,
  work: () => T | Promise<T>,
  options?: TraceTestOptions,
): Promise<TestTrace<T>>;
export async function traceTest<T>(
  nameOrWork: string | (() => T | Promise<T>),
  workOrOptions?: (() => T | Promise<T>) | TraceTestOptions,
  named?: TraceTestOptions,
): Promise<TestTrace<T>> {
  const hasName = typeof nameOrWork === 'string';
  const work = (hasName ? workOrOptions : nameOrWork) as () => T | Promise<T>;
  const { settleMillis = 1000 } = ((hasName ? named : workOrOptions) ?? {}) as TraceTestOptions;
  if (typeof work !== 'function') throw optionError('work', 'a function', work);
  if (typeof settleMillis !== 'number' || !(settleMillis >= 0)) {
    throw optionError('settleMillis', 'a number of milliseconds', settleMillis);
  }
  // Without a preload, the imports of a test file were linked before clew could observe them.
  patchMissedModules();
  const whole = hasName ? () => inSpan(nameOrWork, work) : work;
  const { result, spans } = await spanCollector.collect(whole, settleMillis);
  return new TestTrace(result, spans, !spanCollector.hasSeenSpans);
}

function inSpan<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  return trace.getTracer(OWN_SCOPE).startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}
