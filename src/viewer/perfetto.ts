import type { AdjustedSpan } from './adjust.ts';
import { nameOf } from './span.ts';
import type { Trace } from './store.ts';

/*
 * Spans as trace events, which Perfetto and chrome://tracing open. Slices of one track have to lie
 * within one another, so spans that overlap otherwise get tracks of their own.
 */

interface Lane {
  /** Ends of the spans that are open, the innermost last. */
  readonly open: bigint[];
}

/** Trace events of these traces: a process for each service, and tracks below it. */
export function perfettoOf(traces: Iterable<Trace>): object {
  const events: object[] = [];
  const services = new Map<string, { pid: number; lanes: Lane[] }>();
  const all: AdjustedSpan[] = [];
  for (const trace of traces) for (const span of trace.adjusted) all.push(span);
  for (const { span, spanId, endNanos } of all.sort(byStart)) {
    const { service } = span.origin;
    let process = services.get(service);
    if (!process) {
      process = { pid: services.size + 1, lanes: [] };
      services.set(service, process);
      events.push(meta(process.pid, 0, 'process_name', service));
    }
    const tid = laneOf(process.lanes, span.startNanos, endNanos) + 1;
    events.push({
      ph: 'X',
      cat: span.kind.toLowerCase(),
      name: nameOf(span),
      pid: process.pid,
      tid,
      ts: Number(span.startNanos) / 1e3,
      dur: Number(endNanos - span.startNanos) / 1e3,
      args: { trace_id: span.traceId, span_id: spanId, ...argsOf(span) },
    });
  }
  return { displayTimeUnit: 'ms', traceEvents: events };
}

/** The first track on which the span lies within what is open, or after it. */
function laneOf(lanes: Lane[], start: bigint, end: bigint): number {
  for (let i = 0; i < lanes.length; i++) {
    const { open } = lanes[i] as Lane;
    while (open.length > 0 && (open.at(-1) as bigint) <= start) open.pop();
    if (open.length > 0 && (open.at(-1) as bigint) < end) continue;
    open.push(end);
    return i;
  }
  return lanes.push({ open: [end] }) - 1;
}

function argsOf({ attributes, status }: AdjustedSpan['span']): Record<string, unknown> {
  const args = Object.fromEntries(attributes.map(([key, value]) => [key, value]));
  if (status.code !== 'UNSET') args['otel.status_code'] = status.code;
  return args;
}

function byStart(a: AdjustedSpan, b: AdjustedSpan): number {
  const [first, second] = [a.span.startNanos, b.span.startNanos];
  if (first !== second) return first < second ? -1 : 1;
  return a.endNanos > b.endNanos ? -1 : a.endNanos < b.endNanos ? 1 : 0;
}

function meta(pid: number, tid: number, name: string, value: string): object {
  return { ph: 'M', pid, tid, name, args: { name: value } };
}
