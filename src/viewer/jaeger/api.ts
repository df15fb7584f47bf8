import { messageOf } from '../../base/errors.ts';
import { INVALID_PARENT, type AdjustedSpan } from '../adjust.ts';
import { parseGoDuration } from '../go-format.ts';
import { readOtlp } from '../otlp.ts';
import { otlpOf, otlpOfAdjusted } from '../otlp-write.ts';
import { TraceStore, type Trace } from '../store.ts';
import type { Viewer } from '../viewer.ts';
import { jaegerTrace } from './json.ts';
import { findJaegerTraces, integerIn, QueryError, readQuery } from './query.ts';
import { jaegerSummary } from './summary.ts';

/*
 * Jaeger's query API over what the viewer holds: `/api/...` as its page uses it, in microseconds, and
 * `/api/v3/...` in the shape of OTLP. It is that of Jaeger 2, for tools that read it.
 */

/** An answer: the status and the body. */
export interface JaegerAnswer {
  status: number;
  json: object;
}

export class JaegerApi {
  readonly #viewer: Viewer;

  constructor(viewer: Viewer) {
    this.#viewer = viewer;
  }

  get(path: string, query: URLSearchParams): JaegerAnswer {
    const isV3 = path.startsWith('/api/v3/');
    try {
      const parts = path
        .split('/')
        .slice(isV3 ? 3 : 2)
        .map(decodeURIComponent);
      return isV3 ? this.#getV3(parts, query) : this.#get(parts, query);
    } catch (error) {
      if (!(error instanceof QueryError) && !(error instanceof URIError)) throw error;
      return isV3 ? failureV3(400, error.message) : failure(400, error.message);
    }
  }

  post(path: string, body: Buffer): JaegerAnswer {
    if (path !== '/api/transform')
      return failure(501, 'this viewer does not store into an archive');
    try {
      const store = new TraceStore();
      store.add(readOtlp(JSON.parse(body.toString('utf8'))));
      return success([...store.traces].map(jaegerOf));
    } catch (error) {
      return failure(400, messageOf(error));
    }
  }

  #get([what, id, below]: string[], query: URLSearchParams): JaegerAnswer {
    const { store } = this.#viewer;
    if (what === 'services') {
      if (id === undefined) return counted(this.#services());
      if (below === 'operations') {
        return counted([...new Set(this.#operations(id, '').map(({ name }) => name))]);
      }
    }
    if (what === 'operations') {
      const service = query.get('service') ?? '';
      if (service === '') throw new QueryError("parameter 'service' is required");
      return counted(this.#operations(service, query.get('spanKind') ?? ''));
    }
    if (what === 'traces') {
      if (id !== undefined) {
        const trace = this.#trace(id);
        return trace ? success([jaegerOf(trace)]) : failure(404, 'trace not found');
      }
      const ids = query.getAll('traceID');
      if (ids.length === 0) return success(findJaegerTraces(store, readQuery(query)).map(jaegerOf));
      const found = ids.map((one) => ({ one, trace: this.#trace(one) }));
      const missing = found.filter(({ trace }) => !trace);
      return success(
        found.flatMap(({ trace }) => (trace ? [jaegerOf(trace)] : [])),
        missing.map(({ one }) => ({ msg: 'trace not found', traceID: one })),
      );
    }
    if (what === 'dependencies') return success(this.#dependencies(query));
    if (what === 'metrics') return failure(501, 'metrics querying is currently disabled');
    return failure(404, 'not found');
  }

  #getV3([what, id]: string[], query: URLSearchParams): JaegerAnswer {
    const { store } = this.#viewer;
    if (what === 'services') return { status: 200, json: { services: this.#services() } };
    if (what === 'operations') {
      const kind = query.get('span_kind') ?? query.get('spanKind') ?? '';
      const operations = this.#operations(query.get('service') ?? '', kind);
      return { status: 200, json: { operations } };
    }
    if (what === 'trace-summaries') {
      const summaries = findJaegerTraces(store, readQueryV3(query)).map(jaegerSummary);
      return { status: 200, json: { summaries } };
    }
    if (what !== 'traces') return failureV3(404, 'not found');
    const raw = query.get('raw_traces') ?? query.get('rawTraces');
    const isRaw = raw === 'true' || raw === '1';
    if (id !== undefined) {
      const trace = this.#trace(id);
      return trace ? resultV3([trace], isRaw) : failureV3(404, 'trace not found');
    }
    const traces = findJaegerTraces(store, readQueryV3(query));
    return traces.length > 0 ? resultV3(traces, isRaw) : failureV3(404, 'No traces found');
  }

  /** Ids may come without their leading zeros. */
  #trace(id: string): Trace | undefined {
    if (!/^[0-9a-f]{1,32}$/i.test(id)) {
      throw new QueryError('trace id has to be up to 32 hexadecimal digits');
    }
    return this.#viewer.store.get(id.toLowerCase().padStart(32, '0'));
  }

  #services(): string[] {
    return this.#viewer.summary().services.map(({ name }) => name);
  }

  #operations(service: string, kind: string): { name: string; spanKind: string }[] {
    const found = new Map<string, { name: string; spanKind: string }>();
    for (const trace of this.#viewer.store.traces) {
      for (const span of trace.spans) {
        const spanKind = span.kind === 'UNSPECIFIED' ? '' : span.kind.toLowerCase();
        if (span.origin.service !== service || (kind !== '' && kind !== spanKind)) continue;
        found.set(`${spanKind} ${span.name}`, { name: span.name, spanKind });
      }
    }
    return [...found.values()];
  }

  /** How often a service called another, by the parents of spans; calls of itself count, too. */
  #dependencies(query: URLSearchParams): object[] {
    const end = integerIn(query, 'endTs', Date.now());
    const start = end - integerIn(query, 'lookback', 24 * 3600 * 1000);
    const calls = new Map<string, { parent: string; child: string; callCount: number }>();
    for (const trace of this.#viewer.store.traces) {
      for (const { of, parent: above } of trace.kinship.order) {
        if (!above) continue;
        const at = Number(of.span.startNanos / 1_000_000n);
        if (at < start || at > end) continue;
        const [parent, child] = [above.of.span.origin.service, of.span.origin.service];
        const key = JSON.stringify([parent, child]);
        const call = calls.get(key);
        if (call) call.callCount += 1;
        else calls.set(key, { parent, child, callCount: 1 });
      }
    }
    return [...calls.values()];
  }
}

/** A trace as Jaeger's page reads it. */
export function jaegerOf(trace: Trace): ReturnType<typeof jaegerTrace> {
  return jaegerTrace(trace.traceId, trace.adjusted);
}

function readQueryV3(query: URLSearchParams): ReturnType<typeof readQuery> {
  const value = (snake: string, camel: string): string =>
    query.get(`query.${snake}`) ?? query.get(`query.${camel}`) ?? '';
  const time = (snake: string, camel: string): number => {
    const text = value(snake, camel);
    const millis = Date.parse(text);
    if (text === '') {
      throw new QueryError('query.start_time_min and query.start_time_max are required');
    }
    if (!Number.isNaN(millis)) return millis * 1e3;
    throw new QueryError(`malformed parameter query.${snake}: not RFC 3339`);
  };
  const duration = (snake: string, camel: string): bigint => {
    const text = value(snake, camel);
    const nanos = text === '' ? 0n : parseGoDuration(text);
    if (nanos !== undefined) return nanos;
    throw new QueryError(`malformed parameter query.${snake}`);
  };
  const [start, end] = [
    time('start_time_min', 'startTimeMin'),
    time('start_time_max', 'startTimeMax'),
  ];
  const attributes = value('attributes', 'attributes');
  const legacy = new URLSearchParams({
    service: value('service_name', 'serviceName'),
    operation: value('operation_name', 'operationName') || value('span_name', 'spanName'),
    limit: value('search_depth', 'searchDepth') || value('num_traces', 'numTraces'),
    ...(attributes === '' ? {} : { tags: attributes }),
  });
  return {
    ...readQuery(legacy),
    start,
    end: end + 999,
    minDuration: duration('duration_min', 'durationMin'),
    maxDuration: duration('duration_max', 'durationMax'),
  };
}

function resultV3(traces: readonly Trace[], isRaw: boolean): JaegerAnswer {
  const result = isRaw
    ? otlpOf(traces.flatMap(({ spans }) => spans))
    : otlpOfAdjusted(traces.flatMap(({ adjusted }) => adjusted.map(wordedAsV3)));
  return { status: 200, json: { result } };
}

/** The two APIs of Jaeger have different words for a missing parent. */
function wordedAsV3(span: AdjustedSpan): AdjustedSpan {
  const warnings = span.warnings.map((warning) =>
    warning.startsWith(INVALID_PARENT)
      ? `parent span ID=${warning.slice(INVALID_PARENT.length).replace(';', ' is not in the trace;')}`
      : warning,
  );
  return { ...span, warnings };
}

function counted(data: unknown[]): JaegerAnswer {
  return { status: 200, json: { data, total: data.length, limit: 0, offset: 0, errors: null } };
}

function success(data: unknown[], errors: unknown[] = []): JaegerAnswer {
  const body = { data, total: 0, limit: 0, offset: 0, errors: errors.length > 0 ? errors : null };
  return { status: 200, json: body };
}

function failure(code: number, msg: string): JaegerAnswer {
  const json = { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] };
  return { status: code, json };
}

function failureV3(httpCode: number, message: string): JaegerAnswer {
  return { status: httpCode, json: { error: { httpCode, message } } };
}
