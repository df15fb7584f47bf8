import { ASYNC_RESOURCE } from './attributes.ts';
import type { PendingSeries, PendingView } from './model.ts';
import { millisOf, textOf, type Span } from './span.ts';
import type { TraceStore } from './store.ts';

const MAX_TYPES = 11;
export const MAX_BUCKETS = 1000;

export interface PendingOptions {
  /** Milliseconds since 1970; default: all there is. */
  from?: number | undefined;
  to?: number | undefined;
  /** Default 200, at most 1000. */
  buckets?: number | undefined;
}

type Life = readonly [type: string, fromMs: number, toMs: number];

/** How many async resources, else operations, were pending at a time, by type. */
export function pendingOf(store: TraceStore, options: PendingOptions = {}): PendingView {
  const resources: Life[] = [];
  const operations: Life[] = [];
  for (const trace of store.traces) {
    for (const life of trace.recorded?.pending ?? []) resources.push(life);
    if (trace.recorded) continue;
    for (const span of trace.spans) {
      const type = textOf(span, `${ASYNC_RESOURCE}type`);
      if (type !== undefined) resources.push(lifeOf(type, span));
      const operation = operationOf(span);
      if (operation !== undefined) operations.push(lifeOf(operation, span));
    }
  }
  const lives = resources.length > 0 ? resources : operations;
  const source = resources.length > 0 ? 'async-resources' : 'spans';
  const from = options.from ?? lives.reduce((first, [, start]) => Math.min(first, start), Infinity);
  const to = options.to ?? lives.reduce((last, [, , end]) => Math.max(last, end), -Infinity);
  if (!(to > from)) return { source, fromMs: 0, toMs: 0, stepMs: 0, series: [] };
  const buckets = Math.min(options.buckets ?? 200, MAX_BUCKETS);
  const stepMs = (to - from) / buckets;
  const byType = groupByType(lives);
  const all = [...byType]
    .map(([type, own]) => ({ type, lives: own, weight: weightOf(own, from, to) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const rest = all.slice(MAX_TYPES).flatMap(({ lives: own }) => own);
  const shown = all.slice(0, MAX_TYPES);
  if (rest.length > 0) shown.push({ type: 'other', lives: rest, weight: 0 });
  const series = shown.map(({ type, lives: own }): PendingSeries => ({
    type,
    counts: countsOf(own, from, stepMs, buckets),
  }));
  return { source, fromMs: from, toMs: to, stepMs, series };
}

function groupByType(lives: readonly Life[]): Map<string, Life[]> {
  const groups = new Map<string, Life[]>();
  for (const life of lives) {
    const group = groups.get(life[0]);
    if (group) group.push(life);
    else groups.set(life[0], [life]);
  }
  return groups;
}

function lifeOf(type: string, span: Span): Life {
  const start = millisOf(span.startNanos);
  return [type, start, Math.max(start, millisOf(span.endNanos))];
}

/** What a span waits for, low in cardinality; undefined for steps inside the application. */
function operationOf(span: Span): string | undefined {
  if (span.kind === 'SERVER') return 'requests';
  if (span.kind === 'CONSUMER') return 'messages';
  const system = textOf(
    span,
    'db.system.name',
    'db.system',
    'messaging.system',
    'rpc.system.name',
    'rpc.system',
  );
  if (system !== undefined) return system;
  return span.kind === 'CLIENT' ? 'http client' : undefined;
}

function weightOf(lives: readonly Life[], from: number, to: number): number {
  let sum = 0;
  for (const [, start, end] of lives) {
    if (end < from || start > to) continue;
    sum += Math.min(end, to) - Math.max(start, from) + 1e-6;
  }
  return sum;
}

/** For each bucket the greatest number at once. */
function countsOf(lives: readonly Life[], from: number, step: number, buckets: number): number[] {
  const counts = Array.from({ length: buckets }, () => 0);
  const changes: [time: number, by: number][] = [];
  for (const [, start, end] of lives) changes.push([start, 1], [end, -1]);
  changes.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let [now, next] = [0, 0];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const end = from + (bucket + 1) * step;
    let most = now;
    for (let change = changes[next]; change && change[0] < end; change = changes[++next]) {
      now += change[1];
      // What was over before the first bucket does not count for it.
      if (change[0] >= from) most = Math.max(most, now);
      else most = now;
    }
    counts[bucket] = most;
  }
  return counts;
}
