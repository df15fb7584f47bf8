/*
 * Reads traces from Jaeger's query API. The v3 API read raw gives what is stored: real parents,
 * nanoseconds, duplicates. `/api/traces` gives what the UI shows: adjusted, with warnings.
 */

/** A span as v3 shows it: proto3 JSON, so that a default value is left out. */
export interface JaegerSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number | string;
  links?: { traceId: string; spanId: string }[];
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: { key: string; value: { stringValue?: string } }[];
}

interface V3Answer {
  result: { resourceSpans: { scopeSpans: { spans: JaegerSpan[] }[] }[] };
}

interface LegacySpan {
  spanID: string;
  operationName: string;
  warnings: string[] | null;
  references: { refType: string; spanID: string }[];
}

export class JaegerQuery {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base.replace(/\/$/, '');
  }

  /** The spans of a trace by id, once there are at least `count`; a trace shows up with a delay. */
  async waitForTrace(
    traceId: string,
    count: number,
    timeoutMillis = 15_000,
  ): Promise<Map<string, JaegerSpan>> {
    let found = 0;
    for (const deadline = Date.now() + timeoutMillis; Date.now() < deadline;) {
      const response = await fetch(`${this.#base}/api/v3/traces/${traceId}?rawTraces=true`);
      if (response.ok) {
        const { result } = (await response.json()) as V3Answer;
        const spans = result.resourceSpans.flatMap((resource) =>
          resource.scopeSpans.flatMap((scope) => scope.spans),
        );
        found = spans.length;
        if (found >= count) return new Map(spans.map((span) => [span.spanId, span]));
      } else {
        await response.arrayBuffer();
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(
      `Jaeger has ${found} of ${count} spans of ${traceId} after ${timeoutMillis} ms`,
    );
  }

  /** The ids of the traces of a service, once there are as many. */
  async waitForTraces(service: string, count: number, timeoutMillis = 15_000): Promise<string[]> {
    let found = 0;
    for (const deadline = Date.now() + timeoutMillis; Date.now() < deadline;) {
      const search = new URLSearchParams({ service, limit: '1500', lookback: '1h' });
      const response = await fetch(`${this.#base}/api/traces?${search.toString()}`);
      const { data } = (await response.json()) as { data: { traceID: string }[] | null };
      found = data?.length ?? 0;
      if (data && found >= count) return data.map(({ traceID }) => traceID);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(
      `Jaeger has ${found} of ${count} traces of ${service} after ${timeoutMillis} ms`,
    );
  }

  /** Every warning that the trace page would show. */
  async warningsOf(traceId: string): Promise<string[]> {
    const response = await fetch(`${this.#base}/api/traces/${traceId}`);
    const { data } = (await response.json()) as { data: { spans: LegacySpan[] }[] };
    return data.flatMap(({ spans }) =>
      spans.flatMap((span) =>
        (span.warnings ?? []).map((warning) => `${span.operationName}: ${warning}`),
      ),
    );
  }
}

/** What is wrong with the kinship of a trace that should have one SERVER root. */
export function kinshipFaultsOf(spans: Map<string, JaegerSpan>): string[] {
  const faults: string[] = [];
  const roots = [...spans.values()].filter((span) => !span.parentSpanId);
  if (roots.length !== 1) faults.push(`${roots.length} roots`);
  for (const root of roots) {
    if (!isKind(root, 2, 'SERVER')) faults.push(`the root ${root.name} is no SERVER span`);
  }
  for (const span of spans.values()) {
    if (span.parentSpanId && !spans.has(span.parentSpanId))
      faults.push(`${span.name} is an orphan`);
  }
  return faults;
}

export function isKind(span: JaegerSpan, number: number, name: string): boolean {
  return span.kind === number || span.kind === `SPAN_KIND_${name}`;
}
