import { BLOCKED_BY, BLOCKED_BY_MS, LINK, RUN_MS, WAIT_IO_MS, WAIT_LOOP_MS } from './attributes.ts';
import type { Blocker, TimeParts } from './model.ts';
import { attributeOf, numberOf, textOf, type Span } from './span.ts';

/** Where a span's time went, where its application measured it. */
export function timePartsOf(span: Span): TimeParts | undefined {
  const runningMs = numberOf(span, RUN_MS);
  const ioMs = numberOf(span, WAIT_IO_MS);
  const loopMs = numberOf(span, WAIT_LOOP_MS);
  if (runningMs === undefined || ioMs === undefined || loopMs === undefined) return undefined;
  return { runningMs, ioMs, loopMs };
}

/** Who held the event loop longest while this span could have gone on. */
export function blockerOf(span: Span): Blocker | undefined {
  const name = textOf(span, BLOCKED_BY);
  if (name === undefined) return undefined;
  const link = span.links.find((one) => attributeOf(one, LINK) === 'blocked_by');
  return {
    name,
    ms: numberOf(span, BLOCKED_BY_MS) ?? 0,
    ...(link ? { traceId: link.traceId, spanId: link.spanId } : {}),
  };
}
