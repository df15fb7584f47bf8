import { isDeepStrictEqual } from 'node:util';

import { adjust, type AdjustedSpan } from './adjust.ts';
import { Kinship } from './kinship.ts';
import type { RecordedTrace } from './recorded.ts';
import type { Span } from './span.ts';

/*
 * The traces that are looked at, by trace id, the one that was added to last at the end. Bounded by
 * the bytes of all spans, by the number of traces, and by the spans of one trace; the traces that
 * were not added to for the longest time go first, and what goes is counted.
 */

export interface StoreLimits {
  /** About how many bytes all spans may take. Default 256 MiB. */
  maxBytes: number;
  /** Default 20,000. */
  maxTraces: number;
  /** Default 50,000. */
  maxSpansPerTrace: number;
}

const DEFAULTS: StoreLimits = {
  maxBytes: 256 * 1024 * 1024,
  maxTraces: 20_000,
  maxSpansPerTrace: 50_000,
};

/** The spans of one trace, and what follows from them. */
export class Trace {
  readonly traceId: string;
  /** Spans beyond the bound. */
  spansDropped = 0;
  /** What a recording adds to the spans. */
  recorded: RecordedTrace | undefined;
  /** Rises with each change. */
  version = 0;
  bytes = 0;
  readonly #spans: Span[] = [];
  readonly #byId = new Map<string, Span[]>();
  #adjusted: AdjustedSpan[] | undefined;
  #kinship: Kinship | undefined;

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  /** Adds a span, unless the very same one is there: senders that are unsure send twice. */
  add(span: Span): boolean {
    const same = this.#byId.get(span.spanId);
    if (same?.some((known) => isDeepStrictEqual(known, span))) return false;
    if (same) same.push(span);
    else this.#byId.set(span.spanId, [span]);
    this.#spans.push(span);
    this.bytes += span.bytes;
    this.version += 1;
    this.#adjusted = undefined;
    this.#kinship = undefined;
    return true;
  }

  get size(): number {
    return this.#spans.length;
  }

  /** Whether a span of this id is there. */
  has(spanId: string): boolean {
    return this.#byId.has(spanId);
  }

  /** As they were sent. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** As Jaeger shows them, in the order in which they came. */
  get adjusted(): readonly AdjustedSpan[] {
    return (this.#adjusted ??= adjust(this.#spans));
  }

  /** Who is whose child. */
  get kinship(): Kinship {
    return (this.#kinship ??= new Kinship(this.adjusted));
  }
}

export class TraceStore {
  readonly limits: StoreLimits;
  /** What the bounds let go. */
  readonly dropped: { traces: number; spans: number } = { traces: 0, spans: 0 };
  readonly #traces = new Map<string, Trace>();
  #bytes = 0;
  #spans = 0;

  constructor(limits: Partial<StoreLimits> = {}) {
    this.limits = { ...DEFAULTS, ...limits };
  }

  /** Adds spans, and returns the traces that have changed. */
  add(spans: Iterable<Span>): Set<Trace> {
    const changed = new Set<Trace>();
    for (const span of spans) {
      const trace = this.#traceOf(span.traceId, changed);
      if (trace.size >= this.limits.maxSpansPerTrace) {
        trace.spansDropped += 1;
        this.dropped.spans += 1;
        continue;
      }
      const before = trace.bytes;
      if (!trace.add(span)) continue;
      this.#bytes += trace.bytes - before;
      this.#spans += 1;
      changed.add(trace);
    }
    this.#makeRoom();
    for (const trace of changed) if (!this.#traces.has(trace.traceId)) changed.delete(trace);
    return changed;
  }

  get(traceId: string): Trace | undefined {
    return this.#traces.get(traceId);
  }

  /** All of them, those that were added to last at the end. */
  get traces(): IterableIterator<Trace> {
    return this.#traces.values();
  }

  get traceCount(): number {
    return this.#traces.size;
  }

  get spanCount(): number {
    return this.#spans;
  }

  #traceOf(traceId: string, changed: ReadonlySet<Trace>): Trace {
    const known = this.#traces.get(traceId);
    // Once in each batch a trace moves to the end.
    if (known && changed.has(known)) return known;
    const trace = known ?? new Trace(traceId);
    this.#traces.delete(traceId);
    this.#traces.set(traceId, trace);
    return trace;
  }

  #makeRoom(): void {
    const { maxBytes, maxTraces } = this.limits;
    for (const trace of this.#traces.values()) {
      if (this.#bytes <= maxBytes && this.#traces.size <= maxTraces) return;
      this.#traces.delete(trace.traceId);
      this.#bytes -= trace.bytes;
      this.#spans -= trace.size;
      this.dropped.traces += 1;
      this.dropped.spans += trace.size;
    }
  }
}
