import type { AsyncRecord, AsyncTrace } from '../record.ts';
import type { Recording } from './format.ts';
import { toSpans, type RecordedSpan } from './spans.ts';

/** The formats that a recording can be converted to. */
export const CONVERSIONS: Readonly<Record<string, (recording: Recording) => string>> = {
  otlp: toOtlpJson,
  jaeger: toJaegerJson,
  perfetto: toPerfettoJson,
  dot: toDot,
};

const SERVICE = 'clew recording';

/** OTLP JSON, as accepted by a collector at `/v1/traces` and by Jaeger's file upload. */
export function toOtlpJson(recording: Recording): string {
  return JSON.stringify(otlpRequest(recording, toSpans(recording)));
}

/** Returns the export request with these spans of a recording. */
export function otlpRequest(recording: Recording, recorded: readonly RecordedSpan[]): object {
  const spans = recorded.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
    name: span.name,
    kind: 1,
    startTimeUnixNano: nanos(span.startedAt),
    endTimeUnixNano: nanos(span.endedAt),
    attributes: Object.entries(span.attributes).map(otlpAttribute),
    links: span.links.map(({ traceId, spanId, kind }) => ({
      traceId,
      spanId,
      attributes: [otlpAttribute(['clew.link', kind])],
    })),
  }));
  const resource = {
    'service.name': `${SERVICE} of ${recording.header.program}`,
    // Without a host, Jaeger assumes that every span comes from a different machine and warns of
    // clock skew.
    'host.name': 'recording',
    'process.pid': recording.header.pid,
    'process.runtime.version': recording.header.node,
  };
  return {
    resourceSpans: [
      {
        resource: { attributes: Object.entries(resource).map(otlpAttribute) },
        scopeSpans: [{ scope: { name: 'clew/tracer' }, spans }],
      },
    ],
  };
}

/** Jaeger JSON, as its UI uploads and downloads it. */
export function toJaegerJson(recording: Recording): string {
  const byTrace = groupByTrace(toSpans(recording));
  const processes = {
    p1: {
      serviceName: `${SERVICE} of ${recording.header.program}`,
      tags: [
        { key: 'host.name', type: 'string', value: 'recording' },
        { key: 'process.pid', type: 'int64', value: recording.header.pid },
      ],
    },
  };
  const data = [...byTrace].map(([traceID, spans]) => ({
    traceID,
    processes,
    warnings: null,
    spans: spans.map(jaegerSpan),
  }));
  return JSON.stringify({ data });
}

function groupByTrace(spans: RecordedSpan[]): Map<string, RecordedSpan[]> {
  const groups = new Map<string, RecordedSpan[]>();
  for (const span of spans) {
    const group = groups.get(span.traceId);
    if (group) group.push(span);
    else groups.set(span.traceId, [span]);
  }
  return groups;
}

function jaegerSpan(span: RecordedSpan): object {
  const { traceId: traceID, parentSpanId } = span;
  const references = span.links.map((link) => ({
    refType: 'FOLLOWS_FROM',
    traceID: link.traceId,
    spanID: link.spanId,
  }));
  if (parentSpanId) references.unshift({ refType: 'CHILD_OF', traceID, spanID: parentSpanId });
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.name,
    references,
    startTime: Math.round(span.startedAt * 1e3),
    duration: Math.max(1, Math.round((span.endedAt - span.startedAt) * 1e3)),
    tags: Object.entries(span.attributes).map(([key, value]) => ({
      key,
      type: typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'float64',
      value,
    })),
    logs: [],
    processID: 'p1',
    warnings: null,
  };
}

/**
 * Trace events, which Perfetto and chrome://tracing can open: one track shows the work on the event
 * loop, and each group has a track of what it waited for.
 */
export function toPerfettoJson(recording: Recording): string {
  const { pid } = recording.header;
  const events: object[] = [
    meta(pid, 0, 'process_name', recording.header.program),
    meta(pid, 1, 'thread_name', 'event loop'),
  ];
  recording.traces.forEach((trace, index) => {
    const tid = index + 2;
    const label = trace.owner?.label ?? `${trace.root.type}#${trace.root.asyncId}`;
    events.push(meta(pid, tid, 'thread_name', label));
    for (const record of trace.records) {
      for (const event of sliceEvents(record, pid, label)) events.push(event);
      events.push(...lifeEvents(record, pid, tid));
    }
  });
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events });
}

function sliceEvents({ slices, type, asyncId }: AsyncRecord, pid: number, label: string): object[] {
  const events: object[] = [];
  for (let i = 0; i + 1 < slices.length; i += 2) {
    const ts = micros(slices[i] ?? 0);
    const dur = micros(slices[i + 1] ?? 0) - ts;
    events.push({ ph: 'X', cat: label, name: type, pid, tid: 1, ts, dur, args: { asyncId } });
  }
  return events;
}

function lifeEvents(record: AsyncRecord, pid: number, tid: number): object[] {
  const { asyncId, type, triggerAsyncId, executionAsyncId, description, stack, slices } = record;
  const name = description === undefined ? type : `${type} ${description}`;
  const end = Math.max(slices.at(-1) ?? 0, record.resolvedAt ?? 0, record.initAt);
  const shared = { cat: type, name, pid, tid, id: asyncId };
  const args = { asyncId, triggerAsyncId, executionAsyncId, ...(stack ? { stack } : {}) };
  return [
    { ph: 'b', ts: micros(record.initAt), args, ...shared },
    { ph: 'e', ts: micros(end), ...shared },
  ];
}

function meta(pid: number, tid: number, name: string, value: string): object {
  return { ph: 'M', pid, tid, name, args: { name: value } };
}

/**
 * The trigger graph for Graphviz; a dashed arrow leads from the creator if it is not the trigger.
 */
export function toDot(recording: Recording): string {
  const lines = ['digraph triggers {', '  rankdir=LR; node [shape=box, fontname="sans-serif"];'];
  recording.traces.forEach((trace, index) => {
    // Not by `push(...)`: a group may have more records than a call may have arguments.
    for (const line of cluster(trace, index)) lines.push(line);
  });
  return `${[...lines, '}'].join('\n')}\n`;
}

function cluster(trace: AsyncTrace, index: number): string[] {
  const label = trace.owner?.label ?? `${trace.root.type} ${trace.root.asyncId}`;
  const inside = [`  subgraph cluster_${index} {`, `    label=${quote(label)};`];
  const edges: string[] = [];
  const known = new Set(trace.records.map((record) => record.asyncId));
  // A root may have started several groups: each shows it once, as its own.
  const rootName = known.has(trace.root.asyncId) ? `a${trace.root.asyncId}` : `r${index}`;
  if (!known.has(trace.root.asyncId)) {
    inside.push(`    ${rootName} [label=${quote(nodeLabel(trace.root))}, style=rounded];`);
  }
  const nameOf = (asyncId: number): string => (known.has(asyncId) ? `a${asyncId}` : rootName);
  for (const record of trace.records) {
    const { asyncId, triggerAsyncId, executionAsyncId } = record;
    const style = record.bornBefore ? ', style=dashed' : '';
    inside.push(`    a${asyncId} [label=${quote(nodeLabel(record))}${style}];`);
    if (triggerAsyncId !== asyncId) edges.push(`  ${nameOf(triggerAsyncId)} -> a${asyncId};`);
    if (executionAsyncId !== triggerAsyncId && known.has(executionAsyncId)) {
      edges.push(`  a${executionAsyncId} -> a${asyncId} [style=dashed, color=gray];`);
    }
  }
  return [...inside, '  }', ...edges];
}

function nodeLabel({ asyncId, type, description }: AsyncTrace['root']): string {
  return `${type} ${asyncId}${description === undefined ? '' : `\n${description}`}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function otlpAttribute([key, value]: [string, string | number | boolean]): object {
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return {
    key,
    value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value },
  };
}

function nanos(millis: number): string {
  return String(BigInt(Math.round(millis * 1e3)) * 1000n);
}

function micros(millis: number): number {
  return Math.round(millis * 1e3);
}
