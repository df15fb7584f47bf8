import { kindOf, type OtlpRequest, type OtlpSpan } from './otlp.ts';

/** The spans of one trace that have arrived, and what can be said of their kinship. */
export class Trace {
  readonly traceId: string;
  readonly #spans = new Map<string, OtlpSpan>();

  constructor(traceId: string) {
    this.traceId = traceId;
  }

  /** Adds a span; the same span sent twice counts once. */
  add(span: OtlpSpan): void {
    this.#spans.set(span.spanId, span);
  }

  get size(): number {
    return this.#spans.size;
  }

  /** Spans without a parent, in the order of their start. */
  get roots(): OtlpSpan[] {
    return this.#sorted((span) => !span.parentSpanId);
  }

  /** Spans whose parent has not arrived: still under way, or lost. */
  get orphans(): OtlpSpan[] {
    return this.#sorted((span) => !!span.parentSpanId && !this.#spans.has(span.parentSpanId));
  }

  childrenOf(span: OtlpSpan): OtlpSpan[] {
    return this.#sorted((child) => child.parentSpanId === span.spanId);
  }

  #sorted(keep: (span: OtlpSpan) => boolean): OtlpSpan[] {
    return [...this.#spans.values()]
      .filter(keep)
      .toSorted((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1));
  }
}

/**
 * Traces by id, filled from export requests. Holds `maxTraces` of them and lets the oldest go;
 * `dropped` counts those.
 */
export class TraceStore {
  readonly #traces = new Map<string, Trace>();
  readonly #maxTraces: number;
  dropped = 0;

  constructor(maxTraces = 10_000) {
    this.#maxTraces = maxTraces;
  }

  add(request: OtlpRequest): void {
    for (const { scopeSpans } of request.resourceSpans ?? []) {
      for (const { spans } of scopeSpans ?? []) {
        for (const span of spans ?? []) this.#traceOf(span.traceId).add(span);
      }
    }
  }

  /** All traces, the oldest first. */
  get traces(): Trace[] {
    return [...this.#traces.values()];
  }

  #traceOf(traceId: string): Trace {
    let trace = this.#traces.get(traceId);
    if (trace) return trace;
    trace = new Trace(traceId);
    this.#traces.set(traceId, trace);
    const oldest = this.#traces.keys().next();
    if (this.#traces.size > this.#maxTraces && !oldest.done) {
      this.#traces.delete(oldest.value);
      this.dropped += 1;
    }
    return trace;
  }
}

/**
 * What is wrong with the kinship in a trace that is expected to begin with one server request; one
 * sentence each, none if all is well. A client span that is a root has lost its parent just as one
 * whose parent never came.
 */
export function kinshipFaults(trace: Trace): string[] {
  const faults = trace.orphans.map((span) => `${span.name}: its parent never arrived`);
  for (const root of trace.roots) {
    if (kindOf(root) !== 'SERVER') faults.push(`${root.name}: it has no parent`);
  }
  if (trace.roots.length > 1) faults.push(`${trace.roots.length} roots in one trace`);
  return faults;
}
