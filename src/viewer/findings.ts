import type { FindingView } from './model.ts';
import { marksOf, rowOf } from './request-row.ts';
import type { Trace, TraceStore } from './store.ts';

/** What a name of a finding means: the doctor's own words, which the viewer does not know. */
export type DescribeFinding = (
  name: string,
) => Pick<FindingView, 'kind' | 'summary' | 'docs'> | undefined;

/** A finding of a report, without the spans. */
export type ReportedFinding = Omit<FindingView, 'spans'>;

const MAX_SPANS = 100;
const MAX_REPORTED = 1000;

/**
 * The findings of the doctor: of reports that were read, and of the marks that spans carry. A mark
 * belongs to the reported finding of its name, and of its request where the report has several.
 */
export class FindingBook {
  readonly #describe: DescribeFinding;
  #reported: ReportedFinding[] = [];

  constructor(describe: DescribeFinding) {
    this.#describe = describe;
  }

  /** Adds what a report found; one of the same name and place replaces what was known. */
  add(findings: readonly ReportedFinding[]): void {
    const fresh = new Map(findings.map((finding) => [keyOf(finding), finding]));
    const kept = this.#reported.filter((finding) => !fresh.has(keyOf(finding)));
    this.#reported = [...kept, ...fresh.values()].slice(-MAX_REPORTED);
  }

  /** All of them, the most frequent first. */
  list(store: TraceStore): FindingView[] {
    const views = this.#reported.map((finding): FindingView => ({ ...finding, spans: [] }));
    const marked = new Map<string, FindingView>();
    for (const trace of store.traces) {
      for (const { finding, spanId, name } of marksOf(trace)) {
        const view = this.#match(views, trace, finding) ?? this.#marked(marked, finding);
        if (!view) continue;
        if (marked.get(finding) === view) view.count += 1;
        view.spans.push({ traceId: trace.traceId, spanId, name });
        if (view.spans.length > MAX_SPANS) view.spans.shift();
      }
    }
    return [...views, ...marked.values()].sort((a, b) => b.count - a.count);
  }

  /** Those that concern a trace: named by its spans' marks, or its request's own. */
  ofTrace(trace: Trace): FindingView[] {
    const found = new Map<string, FindingView>();
    const reported = new Map<ReportedFinding, FindingView>();
    for (const { finding, spanId, name } of marksOf(trace)) {
      const known = this.#match(this.#reported, trace, finding);
      let view = known && reported.get(known);
      if (known && !view) reported.set(known, (view = { ...known, spans: [] }));
      view ??= this.#marked(found, finding);
      if (!view) continue;
      if (!known) view.count += 1;
      view.spans.push({ traceId: trace.traceId, spanId, name });
    }
    return [...reported.values(), ...found.values()];
  }

  #match<Finding extends ReportedFinding>(
    findings: readonly Finding[],
    trace: Trace,
    name: string,
  ): Finding | undefined {
    const named = findings.filter((finding) => finding.name === name);
    return named.find(({ owner }) => owner === rowOf(trace).name) ?? named[0];
  }

  #marked(marked: Map<string, FindingView>, name: string): FindingView | undefined {
    const known = marked.get(name);
    if (known) return known;
    const described = this.#describe(name);
    // Any application may write this attribute: what the doctor does not know is no finding.
    if (!described) return undefined;
    const view: FindingView = { name, count: 0, ...described, spans: [] };
    marked.set(name, view);
    return view;
  }
}

function keyOf({ name, place, owner }: ReportedFinding): string {
  return JSON.stringify([name, place?.file, place?.line, owner]);
}
