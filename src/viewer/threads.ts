import { ASYNC_RESOURCE, LINK, RUN_MS } from './attributes.ts';
import type { Placed } from './kinship.ts';
import { inProcess, loopGapsOf, runningOf } from './loop-gaps.ts';
import type { FindingView } from './model.ts';
import type { LostMark, Thread, ThreadView } from './trace-model.ts';
import { attributeOf, nameOf, numberOf, textOf, type Span } from './span.ts';
import type { Trace, TraceStore } from './store.ts';

export const MAX_THREADS = 1000;

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
    const running = runningOf(span, at(span.startNanos), at(endNanos));
    const thread: Thread = {
      id: ids.get(placed) ?? 0,
      name: nameOf(span),
      spanId: placed.of.spanId,
      start: at(span.startNanos),
      end: at(endNanos),
      running,
      runningMs: numberOf(span, `${ASYNC_RESOURCE}run_ms`, RUN_MS) ?? 0,
      gaps: loopGapsOf(placed, running, at, store),
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
