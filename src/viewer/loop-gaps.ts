import { ASYNC_RESOURCE, RUN_AT, WAIT_LOOP_AT, WAIT_LOOP_BY } from './attributes.ts';
import type { Placed } from './kinship.ts';
import type { Blocker } from './model.ts';
import { attributeOf, type Span } from './span.ts';
import type { TraceStore } from './store.ts';
import { blockerOf, timePartsOf } from './time-parts.ts';
import type { Interval, ThreadGap } from './trace-model.ts';

/*
 * When a span ran and when it waited for the event loop, from its attributes. Times are microseconds
 * since the start of the trace. What ran did not wait: no gap is over a stretch of running.
 */

/** Waits of a request that are looked at: the numbers come from outside. */
const MAX_GAPS = 64;
/** Stretches that are no further apart follow one another, in microseconds. */
const SAME_MICROS = 100;

type Clock = (nanos: bigint) => number;

/**
 * When callbacks of the span ran, one after the other. A request's may be still running as its span
 * ends: what comes after that is not the request's any more.
 */
export function runningOf(span: Span, start: number, end: number): Interval[] {
  const own = stretchesOf(span, `${ASYNC_RESOURCE}running`, start);
  if (own.length > 0) return own;
  return stretchesOf(span, RUN_AT, start).flatMap(([from, to]): Interval[] =>
    from < end ? [[from, Math.min(to, end)]] : [],
  );
}

/** Where it waited for the loop: as measured, or else by estimate. */
export function loopGapsOf(
  placed: Placed,
  running: readonly Interval[],
  at: Clock,
  store: TraceStore,
): ThreadGap[] {
  const { span, endNanos } = placed.of;
  if ((timePartsOf(span)?.loopMs ?? 0) <= 0) return [];
  const free = freeOf([at(span.startNanos), at(endNanos)], running);
  return knownGaps(placed, free, at) ?? estimatedGaps(span, free, at, store);
}

/** Pairs of a start and an end in microseconds since the span's start. */
function stretchesOf(span: Span, key: string, start: number): Interval[] {
  const times = attributeOf(span, key);
  if (!Array.isArray(times)) return [];
  const stretches: Interval[] = [];
  for (let i = 0; i + 1 < times.length; i += 2) {
    const [from, to] = [Number(times[i]), Number(times[i + 1])];
    if (from <= to) stretches.push([start + from, start + to]);
  }
  return stretches;
}

/** What is left of a time without the stretches of running. */
function freeOf([start, end]: Interval, running: readonly Interval[]): Interval[] {
  const free: Interval[] = [];
  let since = start;
  for (const [from, to] of running.toSorted((a, b) => a[0] - b[0])) {
    if (from > since) free.push([since, Math.min(from, end)]);
    since = Math.max(since, to);
  }
  if (end > since) free.push([since, end]);
  return free.filter(([from, to]) => to > from);
}

/**
 * When others held the loop while the span was under way: the request's span has it, the one above
 * in the same process. Only stretches of some length are in it; `undefined` where there is none.
 */
function knownGaps(placed: Placed, free: readonly Interval[], at: Clock): ThreadGap[] | undefined {
  const { span } = placed.of;
  const holder = requestOf(placed);
  if (!holder) return undefined;
  const names = attributeOf(holder, WAIT_LOOP_BY);
  const blocker = blockerOf(span) ?? blockerOf(holder);
  const gaps: ThreadGap[] = [];
  const stretches = stretchesOf(holder, WAIT_LOOP_AT, at(holder.startNanos));
  stretches.slice(0, MAX_GAPS).forEach((stretch, index) => {
    const given: unknown = Array.isArray(names) ? names[index] : undefined;
    const name = typeof given === 'string' ? given : undefined;
    for (const piece of common(stretch, free)) addGap(gaps, piece, name, blocker);
  });
  return gaps.length > 0 ? gaps : undefined;
}

function addGap(
  gaps: ThreadGap[],
  [start, end]: Interval,
  name: string | undefined,
  blocker: Blocker | undefined,
): void {
  const last = gaps.at(-1);
  // Callbacks of one name in a row are one wait.
  if (last && last.blocker?.name === name && start - last.end < SAME_MICROS) {
    last.end = end;
    if (last.blocker) last.blocker.ms = (end - last.start) / 1e3;
    return;
  }
  const gap: ThreadGap = { start, end, estimated: false };
  const ms = (end - start) / 1e3;
  if (name !== undefined) {
    gap.blocker = name === blocker?.name ? { ...blocker, ms } : { name, ms };
  }
  gaps.push(gap);
}

/** The parts of a stretch that are free, but for what is too short to be seen. */
function common([from, to]: Interval, free: readonly Interval[]): Interval[] {
  return free
    .map(([start, end]): Interval => [Math.max(start, from), Math.min(end, to)])
    .filter(([start, end]) => end - start > SAME_MICROS || (start === from && end === to));
}

/** The span of the request in whose process a span was made. */
function requestOf(placed: Placed): Span | undefined {
  for (let one: Placed | undefined = placed; one; one = one.parent) {
    const { span } = one.of;
    if (span.origin !== placed.of.span.origin && !isSameProcess(span, placed.of.span))
      return undefined;
    if (attributeOf(span, WAIT_LOOP_AT) !== undefined) return span;
    // Above it may be the request of this process that asked it: who ran was itself.
    if (span.kind === 'SERVER' || span.kind === 'CONSUMER') return undefined;
  }
  return undefined;
}

function isSameProcess(a: Span, b: Span): boolean {
  return inProcess(a, 0) === inProcess(b, 0);
}

/** An async id and its process. */
export function inProcess({ origin }: Span, asyncId: number): string {
  const pid = attributeOf({ attributes: origin.resource }, 'process.pid');
  return JSON.stringify([origin.service, pid, asyncId]);
}

/**
 * Where a span can have waited for the loop: of its wait only the length was measured. It is put
 * where the request that held the loop ran, or before what ran last; where it does not fit between
 * what ran, it has several pieces, the nearest first.
 */
function estimatedGaps(
  span: Span,
  free: readonly Interval[],
  at: Clock,
  store: TraceStore,
): ThreadGap[] {
  const { loopMs = 0, runningMs = 0 } = timePartsOf(span) ?? {};
  const end = free.at(-1)?.[1];
  if (end === undefined) return [];
  const blocker = blockerOf(span);
  const holder = store
    .get(blocker?.traceId ?? '')
    ?.spans.find(({ spanId }) => spanId === blocker?.spanId);
  const wanted = holder ? at(holder.endNanos) : end - runningMs * 1e3;
  let left = loopMs * 1e3;
  const fits = free.filter(([from, to]) => to - from >= left);
  const distance = (one: Interval): number => Math.abs(endIn(one, wanted, left) - wanted);
  const gaps: ThreadGap[] = [];
  const chosen = (fits.length > 0 ? fits : free).toSorted((a, b) => distance(a) - distance(b));
  for (const one of chosen) {
    const length = Math.min(left, one[1] - one[0]);
    if (length <= 0 || gaps.length === MAX_GAPS) break;
    const to = endIn(one, wanted, length);
    const ms = Math.min(blocker?.ms ?? 0, length / 1e3);
    gaps.push({
      start: to - length,
      end: to,
      estimated: true,
      ...(blocker && { blocker: fits.length > 0 ? blocker : { ...blocker, ms } }),
    });
    left -= length;
  }
  return gaps.toSorted((a, b) => a.start - b.start);
}

/** The end of a wait within a free stretch, as near to the wanted one as can be. */
function endIn([from, to]: Interval, wanted: number, length: number): number {
  return Math.min(Math.max(wanted, Math.min(from + length, to)), to);
}
