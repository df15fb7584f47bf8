import { performance } from 'node:perf_hooks';

import { trace, type Context, type HrTime } from '@opentelemetry/api';

/**
 * The fields that are used of the SDK's span. They are the same in 2.x and 3.x; not all are public.
 */
interface SpanClock {
  startTime: HrTime;
  _performanceStartTime?: unknown;
  _performanceOffset?: unknown;
  _startTimeProvided?: unknown;
}

/**
 * A larger difference means that the wall clock was set, or the machine slept, since the parent
 * started.
 */
const MAX_SHIFT_MILLIS = 1000;

/**
 * Makes all spans of a trace in this process use one clock, that of its first span. The SDK starts
 * each span at a whole millisecond of the wall clock and ends it a measured duration later. A span
 * can then exceed its parent by up to a millisecond, of which Jaeger warns, and siblings may appear
 * in the wrong order. A span with an explicit start time keeps it, and with an SDK of another
 * structure spans keep their own times. Add it before every other span processor.
 */
export class TraceClockProcessor {
  onStart(span: object, parentContext: Context): void {
    const clock = span as SpanClock;
    const { _performanceStartTime: moment, _startTimeProvided: isGiven } = clock;
    if (typeof moment !== 'number' || isGiven !== false) return;
    const parent = trace.getSpan(parentContext) as SpanClock | undefined;
    const since = parent?._performanceStartTime;
    if (typeof since !== 'number' || parent?._startTimeProvided !== false) return;
    const startTime = later(parent.startTime, moment - since);
    if (Math.abs(millisOf(startTime) - millisOf(clock.startTime)) > MAX_SHIFT_MILLIS) return;
    // Unlike an assignment, it does not throw if a field cannot be written.
    if (!Reflect.set(span, 'startTime', startTime)) return;
    // For an end or an event that is given as `performance.now()`.
    const offset = millisOf(startTime) - moment - performance.timeOrigin;
    Reflect.set(span, '_performanceOffset', offset);
  }

  onEnd(): void {
    // The SDK ends a span at its start and what it measured since.
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Rounded down: a span rounded up could end after its parent. */
function later([seconds, nanos]: HrTime, millis: number): HrTime {
  const sum = nanos + Math.floor(millis * 1e6);
  const carried = Math.floor(sum / 1e9);
  return [seconds + carried, sum - carried * 1e9];
}

function millisOf([seconds, nanos]: HrTime): number {
  return seconds * 1e3 + nanos / 1e6;
}
