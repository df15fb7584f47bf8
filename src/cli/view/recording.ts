import type { AsyncRecord, AsyncTrace } from '../../tracer/record.ts';
import { otlpRequest } from '../../tracer/recording/convert.ts';
import type { Recording } from '../../tracer/recording/format.ts';
import { endOf, labelOf, toSpans, type RecordedSpan } from '../../tracer/recording/spans.ts';
import { shape, type ShapedNode } from '../../tracer/shape.ts';
import {
  BLOCKED_BY,
  BLOCKED_BY_MS,
  RUN_MS,
  WAIT_IO_MS,
  WAIT_LOOP_MS,
} from '../../viewer/attributes.ts';
import type { Interval, Thread } from '../../viewer/trace-model.ts';
import { readOtlp } from '../../viewer/otlp.ts';
import type { RecordedTrace } from '../../viewer/recorded.ts';
import type { Span } from '../../viewer/span.ts';
import { MAX_THREADS } from '../../viewer/threads.ts';
import { LoopTimeline } from './loop-timeline.ts';

/*
 * A recording of async resources as the viewer holds it: a trace of spans for each group, and the
 * threads of the group with their callbacks. What a thread waited for the loop is what ran right
 * before its callback, without a pause, for others.
 */

/** Lives of async resources that are kept for the chart of pending work, of all groups. */
const MAX_PENDING = 500_000;

export interface ViewedRecording {
  spans: Span[];
  recorded: Map<string, RecordedTrace>;
}

export function viewRecording(recording: Recording): ViewedRecording {
  const spans = toSpans(recording);
  const byTrace = new Map<string, RecordedSpan[]>();
  for (const span of spans) {
    const group = byTrace.get(span.traceId);
    if (group) group.push(span);
    else byTrace.set(span.traceId, [span]);
  }
  const timeline = new LoopTimeline(recording.traces.map(labelledSlices));
  const recorded = new Map<string, RecordedTrace>();
  const { timeOrigin } = recording.header;
  let room = MAX_PENDING;
  // The spans of each group begin with its root's, in the order of the groups.
  [...byTrace].forEach(([traceId, [root]], index) => {
    const trace = recording.traces[index];
    if (!trace || !root) return;
    const { threads, omitted } = threadsOf(trace, index, timeline);
    addParts(root, trace, index, timeline);
    const pending = trace.records.slice(0, room).map((record) => pendingOf(record, timeOrigin));
    room -= pending.length;
    const startNanos = BigInt(Math.round(root.startedAt * 1e3)) * 1000n;
    recorded.set(traceId, { startNanos, threads, omitted, pending });
  });
  return { spans: readOtlp(otlpRequest(recording, spans)), recorded };
}

function labelledSlices(trace: AsyncTrace): { label: string; slices: Interval[] } {
  const slices: Interval[] = [];
  for (const { slices: times } of trace.records) {
    for (let i = 0; i + 1 < times.length; i += 2) slices.push([times[i] ?? 0, times[i + 1] ?? 0]);
  }
  return { label: labelOf(trace), slices };
}

/** The root has the three parts that a span of a running application has. */
function addParts(
  { attributes }: RecordedSpan,
  trace: AsyncTrace,
  index: number,
  timeline: LoopTimeline,
): void {
  const [start, end] = [trace.startedAt, Math.max(endOf(trace), trace.startedAt)];
  const runMillis = timeline.runOf(index, start, end);
  let loopMillis = 0;
  const blockers = new Map<string, number>();
  for (const gap of timeline.gapsOf(index, start, end)) {
    loopMillis += gap.end - gap.start;
    blockers.set(gap.label, (blockers.get(gap.label) ?? 0) + gap.millis);
  }
  attributes[RUN_MS] = rounded(runMillis);
  attributes[WAIT_LOOP_MS] = rounded(loopMillis);
  attributes[WAIT_IO_MS] = rounded(Math.max(0, end - start - runMillis - loopMillis));
  const [worst] = [...blockers].sort((a, b) => b[1] - a[1]);
  if (!worst) return;
  attributes[BLOCKED_BY] = worst[0];
  attributes[BLOCKED_BY_MS] = rounded(worst[1]);
}

function threadsOf(
  trace: AsyncTrace,
  index: number,
  timeline: LoopTimeline,
): { threads: Thread[]; omitted: number } {
  const shaped = shape(trace, MAX_THREADS - 1);
  const running = runningByNode(trace, shaped.nodes);
  const micros = (millis: number): number => Math.round((millis - trace.startedAt) * 1e3);
  const threadOf = (
    node: ShapedNode | undefined,
    base: Pick<Thread, 'id' | 'name' | 'type' | 'folded'> & Partial<Thread>,
    from: number,
    to: number,
  ): Thread => {
    const slices = merged(running.get(node) ?? []);
    return {
      ...base,
      start: micros(from),
      end: micros(Math.max(to, slices.at(-1)?.[1] ?? to)),
      running: slices.map(([start, end]): Interval => [micros(start), micros(end)]),
      runningMs: rounded(slices.reduce((sum, [start, end]) => sum + end - start, 0)),
      gaps: timeline.gapsBefore(index, slices, from).map(({ start, end, label, millis }) => ({
        start: micros(start),
        end: micros(end),
        blocker: { name: label, ms: rounded(millis) },
        estimated: false,
      })),
    };
  };
  const { root } = trace;
  const rootThread = threadOf(
    undefined,
    { id: root.asyncId, name: labelOf(trace), type: root.type, folded: shaped.folded },
    trace.startedAt,
    endOf(trace),
  );
  const threads = shaped.nodes.map((node) => {
    const { asyncId, type, description, stack } = node.record;
    const createdBy = node.createdBy?.record.asyncId;
    return threadOf(
      node,
      {
        id: asyncId,
        trigger: node.parent?.record.asyncId ?? root.asyncId,
        name: node.name,
        type,
        folded: node.folded,
        ...(createdBy === undefined ? {} : { createdBy }),
        ...(description === undefined ? {} : { description }),
        ...(stack?.[0] === undefined ? {} : { createdAt: stack[0] }),
      },
      node.startedAt,
      node.endedAt,
    );
  });
  const known = threads.some(({ id }) => id === root.asyncId);
  return { threads: known ? threads : [rootThread, ...threads], omitted: shaped.nodesFolded };
}

/** The callbacks of each node and of what was folded into it; undefined: of the request itself. */
function runningByNode(
  trace: AsyncTrace,
  nodes: readonly ShapedNode[],
): Map<ShapedNode | undefined, Interval[]> {
  const own = new Map(nodes.map((node) => [node.record, node]));
  const places = new Map<number, ShapedNode | undefined>();
  const running = new Map<ShapedNode | undefined, Interval[]>();
  for (const record of trace.records) {
    const place = own.get(record) ?? places.get(record.triggerAsyncId);
    places.set(record.asyncId, place);
    let slices = running.get(place);
    if (!slices) running.set(place, (slices = []));
    for (let i = 0; i + 1 < record.slices.length; i += 2) {
      slices.push([record.slices[i] ?? 0, record.slices[i + 1] ?? 0]);
    }
  }
  return running;
}

/** In order and apart. */
export function merged(intervals: readonly Interval[]): Interval[] {
  const apart: Interval[] = [];
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = apart.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else apart.push([start, end]);
  }
  return apart;
}

function pendingOf(record: AsyncRecord, timeOrigin: number): readonly [string, number, number] {
  const { type, initAt, resolvedAt, slices, destroyedAt } = record;
  // The collector destroys a promise, which says nothing of when it was settled.
  const end =
    resolvedAt ?? slices.at(-1) ?? (type === 'PROMISE' ? initAt : (destroyedAt ?? initAt));
  return [type, initAt + timeOrigin, Math.max(end, initAt) + timeOrigin];
}

function rounded(millis: number): number {
  return Math.round(millis * 1e3) / 1e3;
}
