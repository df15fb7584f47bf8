import { optionError } from '../base/errors.ts';
import { FindingBook, type DescribeFinding, type ReportedFinding } from './findings.ts';
import type { FindingList, PendingView, RequestList, RequestRow, Summary } from './model.ts';
import type { TraceView } from './trace-model.ts';
import { MAX_BUCKETS, pendingOf } from './pending.ts';
import { isOutside, marksOf, rowOf, servesRequest } from './request-row.ts';
import { findTraces, readSearch } from './search.ts';
import { nameOf, type Span } from './span.ts';
import { TraceStore, type StoreLimits, type Trace } from './store.ts';
import { traceView } from './trace-view.ts';

/** What answers questions about traces: a store in this process, or a viewer somewhere else. */
export interface TraceSource {
  summary(): Promise<Summary> | Summary;
  requests(query: URLSearchParams): Promise<RequestList> | RequestList;
  trace(traceId: string): Promise<TraceView | undefined> | TraceView | undefined;
  findings(): Promise<FindingList> | FindingList;
}

export interface ViewerOptions {
  source: Summary['source'];
  version: string;
  describeFinding: DescribeFinding;
  limits?: Partial<StoreLimits>;
}

/** What changed: traces that have new spans, and whether findings did. */
export interface Change {
  traces: ReadonlySet<Trace>;
  findings: boolean;
}

const MAX_SERVICES = 1000;
const MAX_OPERATIONS = 500;

/** The store with what is known around it; answers everything the page asks. */
export class Viewer implements TraceSource {
  readonly store: TraceStore;
  readonly #book: FindingBook;
  readonly #options: ViewerOptions;
  readonly #listeners = new Set<(change: Change) => void>();
  /** The names of spans by service. */
  readonly #services = new Map<string, Set<string>>();
  #refused = 0;
  #lastReason: string | undefined;
  #forwardsTo: string | undefined;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.store = new TraceStore(options.limits);
    this.#book = new FindingBook(options.describeFinding);
  }

  /** Adds spans. */
  add(spans: Iterable<Span>): ReadonlySet<Trace> {
    const added = [...spans];
    const traces = this.store.add(added);
    for (const span of added) this.#note(span);
    const findings = [...traces].some((trace) => marksOf(trace).length > 0);
    this.#tell({ traces, findings });
    return traces;
  }

  addFindings(findings: readonly ReportedFinding[]): void {
    this.#book.add(findings);
    this.#tell({ traces: new Set(), findings: true });
  }

  /** Counts what could not be read, so that it is not lost silently. */
  refuse(reason: string): void {
    this.#refused += 1;
    this.#lastReason = reason;
    this.#tell({ traces: new Set(), findings: false });
  }

  /** Notes where spans are handed on to from now on. */
  forwardTo(origin: string): void {
    this.#forwardsTo = origin;
    this.#tell({ traces: new Set(), findings: false });
  }

  /** Calls `listener` after each change; returns the undo. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  summary(): Summary {
    const { store } = this;
    const { source, version } = this.#options;
    const forwardsTo = this.#forwardsTo;
    const services = this.#services;
    let [from, to] = [Infinity, -Infinity];
    let outside = 0;
    for (const trace of store.traces) {
      if (this.#isOutside(trace)) outside += 1;
      const { startMs, durationMs } = rowOf(trace);
      from = Math.min(from, startMs);
      to = Math.max(to, startMs + durationMs);
    }
    const byName = (a: string, b: string): number => (a < b ? -1 : 1);
    return {
      contract: 1,
      version,
      source,
      services: [...services.keys()].sort(byName).map((name) => ({
        name,
        operations: [...(services.get(name) ?? [])].sort(byName),
      })),
      traces: store.traceCount,
      outside,
      spans: store.spanCount,
      findings: this.#book.list(store).length,
      dropped: {
        ...store.dropped,
        refused: this.#refused,
        ...(this.#lastReason === undefined ? {} : { lastReason: this.#lastReason }),
      },
      ...(to >= from ? { rangeMs: [from, to] as [number, number] } : {}),
      ...(forwardsTo === undefined ? {} : { forwardsTo }),
    };
  }

  /** `ERR_OPTION` where a parameter makes no sense. */
  requests(query: URLSearchParams = new URLSearchParams()): RequestList {
    const search = readSearch(query);
    const all = findTraces(this.store, search);
    const inside = search.outside ? all : all.filter((trace) => !this.#isOutside(trace));
    const found = inside.length > 0 ? inside : all;
    const end = search.offset + search.limit;
    const requests = found.slice(search.offset, end).map((trace) => this.row(trace));
    const more = end < found.length ? { next: String(end) } : {};
    const outside = all.length - found.length;
    return { requests, total: found.length, ...(outside > 0 ? { outside } : {}), ...more };
  }

  row(trace: Trace): RequestRow {
    return {
      ...rowOf(trace),
      findings: this.#book.ofTrace(trace).length,
      ...(this.#isOutside(trace) ? { outside: true } : {}),
    };
  }

  /**
   * An operation that no request made, and that made none: a request of a test's client or of a timer
   * leads to the span of a server. What is wrong with one is worth to be seen.
   */
  #isOutside(trace: Trace): boolean {
    if (isOutside(trace)) return true;
    const { kind, error, warnings, incomplete } = rowOf(trace);
    if (kind !== 'CLIENT' && kind !== 'PRODUCER') return false;
    if (servesRequest(trace)) return false;
    return !error && !incomplete && warnings === 0 && this.#book.ofTrace(trace).length === 0;
  }

  trace(traceId: string): TraceView | undefined {
    const trace = this.store.get(traceId.toLowerCase());
    return trace && traceView(trace, this.store, this.#book);
  }

  pending(query: URLSearchParams = new URLSearchParams()): PendingView {
    const number = (key: string, max: number): number | undefined => {
      const text = query.get(key);
      if (!text) return undefined;
      const value = Number(text);
      if (value >= 0 && value <= max) return value;
      throw optionError(key, `a number from 0 to ${max}`, text);
    };
    return pendingOf(this.store, {
      from: number('from', 8.64e15),
      to: number('to', 8.64e15),
      buckets: Math.floor(number('buckets', MAX_BUCKETS) ?? 200) || 1,
    });
  }

  findings(): FindingList {
    return { findings: this.#book.list(this.store) };
  }

  /** Names stay when their spans have gone: they are few, and a search for them finds nothing. */
  #note(span: Span): void {
    const { origin } = span;
    let operations = this.#services.get(origin.service);
    if (!operations) {
      if (this.#services.size >= MAX_SERVICES) return;
      this.#services.set(origin.service, (operations = new Set()));
    }
    if (operations.size < MAX_OPERATIONS) operations.add(nameOf(span));
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}
