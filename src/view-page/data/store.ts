import { batch, computed, effect, signal } from '@preact/signals';

import type { FindingView, PendingView, RequestRow, Summary } from '../../viewer/model.ts';
import type { TraceView } from '../../viewer/trace-model.ts';
import { list, route, type Brush } from './route.ts';
import { parseSearch, type Filter } from './search-text.ts';
import { findSource } from './source.ts';
import type { Query } from './source-types.ts';

/*
 * What the page knows. Everything here is filled by the source and read by the components; the
 * reader's own choices are in the route.
 */

/** Rows that are kept at most: a page that is left open for a day stays small. */
const MAX_ROWS = 5000;
const PAGE = '1000';

export const source = findSource();

export const summary = signal<Summary | undefined>();
export const findings = signal<FindingView[]>([]);
export const pending = signal<PendingView | undefined>();
export const connected = signal(true);
/** A sentence about what failed last. */
export const problem = signal<string | undefined>();

/** What the list shows, and how many there are of it. */
export const rows = signal<RequestRow[]>([]);
export const total = signal(0);
export const loaded = signal(false);
/** A search is under way: what is listed is still that of the one before. */
export const searching = signal(false);
/** Operations outside of any request that fit, too, and are not listed. */
export const leftOut = signal(0);
/** Rows that were put before the first; a new object each time. */
export const inserted = signal({ count: 0 });
/** Rows that have arrived and wait for the reader to let them in. */
export const waiting = signal<RequestRow[]>([]);
/** Whether the reader has a hand on the list: then it does not move. */
export const held = signal(false);
/** All that the search finds, the brush left aside: the cloud in the chart. */
export const cloud = signal<RequestRow[]>([]);

export const trace = signal<TraceView | undefined>();

export const filter = computed(() => parseSearch(list.value.search));

let next: string | undefined;

export function fail(error: unknown): void {
  problem.value = error instanceof Error ? error.message : String(error);
}

/** Parameters of a search. */
function toQuery(what: Filter, brush: Brush | undefined): Query {
  const min = Math.max(what.minDuration ?? -Infinity, brush?.minMs ?? -Infinity);
  const max = Math.min(what.maxDuration ?? Infinity, brush?.maxMs ?? Infinity);
  return {
    attributes: what.attributes,
    ...(what.service !== undefined && { service: what.service }),
    ...(what.operation !== undefined && { operation: what.operation }),
    ...(what.error !== undefined && { error: what.error ? 'true' : 'false' }),
    ...(what.text !== undefined && { q: what.text }),
    ...(Number.isFinite(min) && { minDuration: String(min) }),
    ...(Number.isFinite(max) && { maxDuration: String(max) }),
    ...(brush && { from: String(brush.fromMs), to: String(brush.toMs) }),
    outside: list.peek().outside ? 'true' : 'false',
    sort: list.peek().sort,
    limit: PAGE,
  };
}

let asked = 0;

async function loadList(): Promise<void> {
  const mine = ++asked;
  const { brush } = list.peek();
  searching.value = true;
  const [found, around] = await Promise.all([
    source.requests(toQuery(filter.peek(), brush)),
    brush && source.requests(toQuery(filter.peek(), undefined)),
  ]).finally(() => {
    if (mine === asked) searching.value = false;
  });
  if (mine !== asked) return;
  batch(() => {
    next = found.next;
    rows.value = found.requests;
    total.value = found.total;
    leftOut.value = found.outside ?? 0;
    waiting.value = [];
    cloud.value = (around ?? found).requests;
    loaded.value = true;
    problem.value = undefined;
  });
}

export async function loadMore(): Promise<void> {
  if (next === undefined || rows.peek().length >= MAX_ROWS) return;
  const mine = asked;
  const before = next;
  next = undefined;
  try {
    const found = await source.requests({ ...toQuery(filter.peek(), list.peek().brush), before });
    if (mine !== asked) return;
    next = found.next;
    rows.value = [...rows.peek(), ...found.requests];
  } catch (error) {
    fail(error);
  }
}

/** Rows that wait for the reader go in. */
export function letIn(): void {
  const arrived = waiting.peek();
  if (arrived.length === 0) return;
  batch(() => {
    waiting.value = [];
    rows.value = [...arrived, ...rows.peek()].slice(0, MAX_ROWS);
    inserted.value = { count: arrived.length };
  });
}

/** The part of the time that the charts show; all of it until the reader zooms. */
export const zoom = signal<[from: number, to: number] | undefined>();

/** Whether the page can tell by a row alone that it belongs into the list: nothing is searched. */
function isUnfiltered(): boolean {
  const { search, brush, sort } = list.peek();
  return search.trim() === '' && !brush && sort === 'newest';
}

function merge(all: readonly RequestRow[]): void {
  // Without a request the others are listed, until there is one.
  const isWanting = !list.peek().outside && rows.peek().every((row) => row.outside);
  if (!isUnfiltered() || isWanting) {
    soon(loadListQuietly);
    return;
  }
  const arrived = list.peek().outside ? all : all.filter((row) => !row.outside);
  const byId = new Map(arrived.map((row) => [row.traceId, row]));
  const replace = (old: readonly RequestRow[]) =>
    old.map((row) => {
      const grown = byId.get(row.traceId);
      if (grown) byId.delete(row.traceId);
      return grown ?? row;
    });
  batch(() => {
    rows.value = replace(rows.peek());
    const kept = replace(waiting.peek());
    const fresh = [...byId.values()].sort((a, b) => b.startMs - a.startMs);
    const all = [...rows.peek(), ...kept, ...fresh];
    waiting.value = [...fresh, ...kept].slice(0, MAX_ROWS);
    cloud.value = all.length > MAX_ROWS ? all.slice(0, MAX_ROWS) : all;
    if (!held.peek()) letIn();
  });
}

/** How many there are of what is not searched, as the viewer counts them. */
function countAll(): void {
  const about = summary.peek();
  if (!about) return;
  leftOut.value = list.peek().outside || about.outside === about.traces ? 0 : about.outside;
  total.value = about.traces - leftOut.value;
}

async function loadListQuietly(): Promise<void> {
  if (held.peek() && list.peek().search === '') return;
  await loadList();
}

/** Runs what is asked for often once a second at most, and once more after the last time. */
const due = new Set<() => Promise<void>>();
function soon(what: () => Promise<void>): void {
  if (due.has(what)) return;
  due.add(what);
  setTimeout(() => {
    due.delete(what);
    what().catch(fail);
  }, 1000);
}

async function loadPending(): Promise<void> {
  const part = zoom.peek();
  const found = await source.pending(part);
  if (part === zoom.peek()) pending.value = found;
}

async function loadTrace(): Promise<void> {
  const wanted = route.peek();
  if (wanted.page !== 'trace') return;
  const found = await source.trace(wanted.traceId);
  const still = route.peek();
  if (still.page === 'trace' && still.traceId === wanted.traceId) {
    batch(() => {
      trace.value = found;
      problem.value = undefined;
    });
  }
}

async function loadAll(): Promise<void> {
  const [about, found] = await Promise.all([source.summary(), source.findings()]);
  batch(() => {
    summary.value = about;
    findings.value = found;
  });
  await Promise.all([loadPending(), loadList()]);
}

/** Reads a file that was dropped on the page. */
export async function addFile(file: File): Promise<void> {
  if (!source.addFile) {
    fail(new Error('This page is a file without a viewer behind it: it cannot read others.'));
    return;
  }
  try {
    await source.addFile(file);
    await loadAll();
  } catch (error) {
    fail(new Error(`Cannot read ${file.name}: ${(error as Error).message}`));
  }
}

const openTraceId = computed(() =>
  route.value.page === 'trace' ? route.value.traceId : undefined,
);

/** Begins to load, and to listen. */
export function startStore(): void {
  const wanted = computed(() =>
    JSON.stringify([filter.value, list.value.brush, list.value.sort, list.value.outside]),
  );
  let first = true;
  effect(() => {
    void wanted.value;
    if (first) first = false;
    else loadList().catch(fail);
  });
  let zoomed = false;
  effect(() => {
    if (zoom.value !== undefined || zoomed) loadPending().catch(fail);
    zoomed = zoom.value !== undefined;
  });
  effect(() => {
    if (openTraceId.value === undefined) return;
    if (trace.peek()?.traceId !== openTraceId.value) trace.value = undefined;
    loadTrace().catch(fail);
  });
  loadAll().catch(fail);
  source.listen?.({
    connected: (is) => (connected.value = is),
    event: (name, data) => {
      if (name === 'summary') {
        summary.value = data as Summary;
        if (summary.value.source.kind === 'live') soon(loadPending);
      } else if (name === 'findings') {
        findings.value = (data as { findings: FindingView[] }).findings;
      } else {
        const arrived = (data as { requests: RequestRow[] }).requests;
        if (isUnfiltered()) countAll();
        merge(arrived);
        if (arrived.some((row) => row.traceId === openTraceId.peek())) soon(loadTrace);
      }
    },
  });
}
