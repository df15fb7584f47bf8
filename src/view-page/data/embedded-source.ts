import type {
  FindingView,
  PendingView,
  RequestList,
  RequestRow,
  Summary,
} from '../../viewer/model.ts';
import type { Exported, TraceView } from '../../viewer/trace-model.ts';
import { valueText } from '../base/format.ts';
import type { Query, Source } from './source-types.ts';

/** The data of a self-contained file. It answers as the server does. */
export class EmbeddedSource implements Source {
  readonly #data: Exported;
  readonly #traces: Map<string, TraceView>;

  constructor(data: Exported) {
    this.#data = data;
    this.#traces = new Map(data.traces.map((trace) => [trace.traceId, trace]));
  }

  async summary(): Promise<Summary> {
    return this.#data.summary;
  }

  async requests(query: Query): Promise<RequestList> {
    const all = this.#data.requests.filter((row) => this.#matches(row, query));
    const inside = query.outside === 'false' ? all.filter((row) => !row.outside) : all;
    const found = inside.length > 0 ? inside : all;
    found.sort((a, b) =>
      query.sort === 'slowest' ? b.durationMs - a.durationMs : b.startMs - a.startMs,
    );
    const outside = all.length - found.length;
    return { requests: found, total: found.length, ...(outside > 0 && { outside }) };
  }

  async trace(traceId: string): Promise<TraceView> {
    const trace = this.#traces.get(traceId);
    if (!trace) throw new Error(`Trace ${traceId} is not in this file.`);
    return trace;
  }

  async pending(): Promise<PendingView> {
    return this.#data.pending;
  }

  async findings(): Promise<FindingView[]> {
    return this.#data.findings;
  }

  #matches(row: RequestRow, query: Query): boolean {
    const { minDuration, maxDuration, from, to, error, service, operation, q, attributes } = query;
    if (row.durationMs < Number(minDuration ?? 0)) return false;
    if (row.durationMs > Number(maxDuration ?? Infinity)) return false;
    if (row.startMs + row.durationMs < Number(from ?? -Infinity)) return false;
    if (row.startMs > Number(to ?? Infinity)) return false;
    if (error !== undefined && row.error !== (error === 'true')) return false;
    const trace = this.#traces.get(row.traceId);
    const spans = trace?.spans ?? [{ name: row.name, service: row.service }];
    if (service !== undefined && !spans.some((span) => span.service === service)) return false;
    if (operation !== undefined && !spans.some((span) => span.name === operation)) return false;
    if (!attributes.every((wanted) => trace && hasAttribute(trace, wanted))) return false;
    return q === undefined || hasText(row, trace, q.toLowerCase());
  }
}

function hasAttribute({ spans, resources }: TraceView, wanted: string): boolean {
  const [key, value] = splitOnce(wanted, '=');
  return [...spans, ...resources].some(({ attributes }) =>
    attributes.some(
      ([name, is]) => name === key && (value === undefined || valueText(is) === value),
    ),
  );
}

function hasText(row: RequestRow, trace: TraceView | undefined, text: string): boolean {
  const has = (value: unknown) =>
    valueText(value ?? '')
      .toLowerCase()
      .includes(text);
  if (has(row.name) || has(row.service)) return true;
  return !!trace?.spans.some(
    (span) =>
      has(span.name) ||
      has(span.service) ||
      has(span.status.message) ||
      span.attributes.some(([, value]) => has(value)) ||
      span.events.some((event) => has(event.name) || event.attributes.some(([, v]) => has(v))),
  );
}

function splitOnce(text: string, by: string): [string, string?] {
  const at = text.indexOf(by);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}
