import { ASYNC_RESOURCE, LINK, RUN_AT, RUN_MS, WAIT_LOOP_AT, WAIT_LOOP_BY } from './attributes.ts';
import type { Placed } from './kinship.ts';
import type { FindingView } from './model.ts';
import type { LostMark, Thread, ThreadGap, ThreadView } from './trace-model.ts';
import { attributeOf, nameOf, numberOf, textOf, type Span } from './span.ts';
import type { Trace, TraceStore } from './store.ts';
import { blockerOf, timePartsOf } from './time-parts.ts';

export const MAX_THREADS = 1000;
/** Waits of a request that are looked at: the numbers come from outside. */
const MAX_GAPS = 64;
/** Stretches that are no further apart follow one another, in microseconds. */
const SAME_MICROS = 100;

/** The groups of async resources of a trace, each a line from its trigger to its children. */
export function threadsOf(
  trace: Trace,
  store: TraceStore,
  startNanos: bigint,
  findings: readonly FindingView[],
): ThreadView {
  const { recorded } = trace;
  if (recorded) {
    const shift = Number(recorded.startNanos - startNanos) / 1e3;
    const threads = shift === 0 ? [...recorded.threads] : recorded.threads.map(shiftBy(shift));
    return { source: 'recording', threads, omitted: recorded.omitted };
  }
  const isOurs = trace.spans.some(
    (span) =>
      attributeOf(span, RUN_MS) !== undefined ||
      attributeOf(span, `${ASYNC_RESOURCE}id`) !== undefined,
  );
  if (!isOurs) return { source: 'none', threads: [], omitted: 0 };
  return threadsOfSpans(trace, store, startNanos, findings);
}

function threadsOfSpans(
  trace: Trace,
  store: TraceStore,
  startNanos: bigint,
  findings: readonly FindingView[],
): ThreadView {
  // The sum of all is none of them.
  const order = trace.kinship.order.filter(({ of }) => !isSum(of.span));
  const shown = longest(order, MAX_THREADS);
  const ids = new Map<Placed, number>();
  const byAsyncId = new Map<string, number>();
  const taken = new Set<number>();
  for (const placed of shown) {
    const { span } = placed.of;
    const asyncId = numberOf(span, `${ASYNC_RESOURCE}id`);
    // Ids of our own are negative: asyncIds are not. Those of two processes may be the same.
    const id = asyncId === undefined || taken.has(asyncId) ? -1 - ids.size : asyncId;
    ids.set(placed, id);
    taken.add(id);
    if (asyncId !== undefined) byAsyncId.set(inProcess(span, asyncId), id);
  }
  const bySpan = new Map([...ids].map(([placed, id]) => [placed.of.spanId, id]));
  const threads = shown.map((placed) => {
    const { span, endNanos } = placed.of;
    const at = (nanos: bigint): number => Number(nanos - startNanos) / 1e3;
    const thread: Thread = {
      id: ids.get(placed) ?? 0,
      name: nameOf(span),
      spanId: placed.of.spanId,
      start: at(span.startNanos),
      end: at(endNanos),
      running: runningOf(span, at(span.startNanos)),
      runningMs: numberOf(span, `${ASYNC_RESOURCE}run_ms`, RUN_MS) ?? 0,
      gaps:
        knownGaps(placed, at) ??
        gapsOf(span, at(span.startNanos), at(endNanos), (nanos) => at(nanos), store),
      folded: numberOf(span, `${ASYNC_RESOURCE}folded`) ?? 0,
    };
    const linked = (relation: string): number | undefined => {
      const link = span.links.find((one) => attributeOf(one, LINK) === relation);
      return link && bySpan.get(link.spanId);
    };
    const triggerId = numberOf(span, `${ASYNC_RESOURCE}trigger_id`);
    const trigger =
      linked('triggered_by') ??
      (triggerId === undefined ? undefined : byAsyncId.get(inProcess(span, triggerId))) ??
      triggerOf(placed, ids);
    if (trigger !== undefined) thread.trigger = trigger;
    const createdBy = linked('created_by');
    if (createdBy !== undefined) thread.createdBy = createdBy;
    const type = textOf(span, `${ASYNC_RESOURCE}type`);
    if (type !== undefined) thread.type = type;
    const description = textOf(span, `${ASYNC_RESOURCE}description`, 'db.query.text', 'url.full');
    if (description !== undefined) thread.description = description;
    const createdAt = textOf(span, `${ASYNC_RESOURCE}created_at`)?.split('\n')[0];
    if (createdAt !== undefined) thread.createdAt = createdAt;
    const lost = lostOf(placed, thread, findings);
    if (lost) thread.lost = lost;
    return thread;
  });
  return { source: 'spans', threads, omitted: order.length - shown.length };
}

/** Whether it sums up the async resources of a request, and stands for no time. */
export function isSum(span: Span): boolean {
  const isCounted = attributeOf(span, `${ASYNC_RESOURCE}count`) !== undefined;
  return isCounted && attributeOf(span, `${ASYNC_RESOURCE}id`) === undefined;
}

function inProcess({ origin }: Span, asyncId: number): string {
  const pid = attributeOf({ attributes: origin.resource }, 'process.pid');
  return JSON.stringify([origin.service, pid, asyncId]);
}

/** The longest, in the order in which they stood. */
function longest(order: readonly Placed[], max: number): readonly Placed[] {
  if (order.length <= max) return order;
  const length = ({ of }: Placed): number => Number(of.endNanos - of.span.startNanos);
  const kept = new Set(order.toSorted((a, b) => length(b) - length(a)).slice(0, max));
  return order.filter((placed) => kept.has(placed));
}

/** The nearest span above that is shown. */
function triggerOf({ parent }: Placed, ids: ReadonlyMap<Placed, number>): number | undefined {
  for (let above = parent; above; above = above.parent) {
    const id = ids.get(above);
    if (id !== undefined) return id;
  }
  return undefined;
}

/** Start and end of callbacks in microseconds since the span's start, one after the other. */
function runningOf(span: Span, start: number): [number, number][] {
  const own = stretchesOf(span, `${ASYNC_RESOURCE}running`, start);
  return own.length > 0 ? own : stretchesOf(span, RUN_AT, start);
}

/** Pairs of a start and an end in microseconds since the span's start. */
function stretchesOf(span: Span, key: string, start: number): [number, number][] {
  const times = attributeOf(span, key);
  if (!Array.isArray(times)) return [];
  const stretches: [number, number][] = [];
  for (let i = 0; i + 1 < times.length; i += 2) {
    const [from, to] = [Number(times[i]), Number(times[i + 1])];
    if (from <= to) stretches.push([start + from, start + to]);
  }
  return stretches;
}

/**
 * When others held the loop while the span was under way: the request's span has it, the one above
 * in the same process. Only stretches of some length are in it; `undefined` where there is none.
 */
function knownGaps(placed: Placed, at: (nanos: bigint) => number): ThreadGap[] | undefined {
  const { span, endNanos } = placed.of;
  if ((timePartsOf(span)?.loopMs ?? 0) <= 0) return undefined;
  const holder = requestOf(placed);
  if (!holder) return undefined;
  const names = attributeOf(holder, WAIT_LOOP_BY);
  const [start, end] = [at(span.startNanos), at(endNanos)];
  const blocker = blockerOf(span) ?? blockerOf(holder);
  const gaps: ThreadGap[] = [];
  const stretches = stretchesOf(holder, WAIT_LOOP_AT, at(holder.startNanos));
  stretches.slice(0, MAX_GAPS).forEach(([from, to], index) => {
    const gap: ThreadGap = {
      start: Math.max(from, start),
      end: Math.min(to, end),
      estimated: false,
    };
    if (gap.end <= gap.start) return;
    const given: unknown = Array.isArray(names) ? names[index] : undefined;
    const name = typeof given === 'string' ? given : undefined;
    const last = gaps.at(-1);
    // Callbacks of one name in a row are one wait.
    if (last && last.blocker?.name === name && gap.start - last.end < SAME_MICROS) {
      last.end = gap.end;
      if (last.blocker) last.blocker.ms = (last.end - last.start) / 1e3;
      return;
    }
    const ms = (gap.end - gap.start) / 1e3;
    if (name !== undefined) {
      gap.blocker = name === blocker?.name ? { ...blocker, ms } : { name, ms };
    }
    gaps.push(gap);
  });
  return gaps.length > 0 ? gaps : undefined;
}

/** The span of the request in whose process a span was made. */
function requestOf(placed: Placed): Span | undefined {
  for (let one: Placed | undefined = placed; one; one = one.parent) {
    const { span } = one.of;
    if (span.origin !== placed.of.span.origin && !isSameProcess(span, placed.of.span))
      return undefined;
    if (attributeOf(span, WAIT_LOOP_AT) !== undefined) return span;
  }
  return undefined;
}

function isSameProcess(a: Span, b: Span): boolean {
  return inProcess(a, 0) === inProcess(b, 0);
}

/**
 * Where a span can have waited for the loop: of its wait only the length was measured. It is put
 * where the request that held the loop ran, or before what ran last.
 */
function gapsOf(
  span: Span,
  start: number,
  end: number,
  at: (nanos: bigint) => number,
  store: TraceStore,
): ThreadGap[] {
  const parts = timePartsOf(span);
  if (!parts || parts.loopMs <= 0) return [];
  const length = Math.min(parts.loopMs * 1e3, end - start);
  const blocker = blockerOf(span);
  const holder = store
    .get(blocker?.traceId ?? '')
    ?.spans.find(({ spanId }) => spanId === blocker?.spanId);
  let to = Math.max(start + length, end - parts.runningMs * 1e3);
  if (holder) to = Math.min(Math.max(at(holder.endNanos), start + length), end);
  const gap: ThreadGap = { start: to - length, end: to, estimated: true };
  return [blocker ? { ...gap, blocker } : gap];
}

function lostOf(
  { of }: Placed,
  { start, end }: Thread,
  findings: readonly FindingView[],
): LostMark | undefined {
  const finding = findings.find(
    ({ kind, spans }) =>
      (kind === 'lost' || kind === 'mixed') && spans.some(({ spanId }) => spanId === of.spanId),
  );
  if (!finding) return undefined;
  // What lost its parent begins where it was lost; a request ends before its work does.
  const at = of.parentId === undefined && of.span.kind === 'SERVER' ? end : start;
  return { at, finding: finding.name, ...(finding.place ? { place: finding.place } : {}) };
}

function shiftBy(shift: number): (thread: Thread) => Thread {
  return (thread) => ({
    ...thread,
    start: thread.start + shift,
    end: thread.end + shift,
    running: thread.running.map(([from, to]) => [from + shift, to + shift]),
    gaps: thread.gaps.map((gap) => ({ ...gap, start: gap.start + shift, end: gap.end + shift })),
    ...(thread.lost ? { lost: { ...thread.lost, at: thread.lost.at + shift } } : {}),
  });
}
