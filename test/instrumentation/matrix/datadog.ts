import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

import { SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { startDatadog, type DatadogSpan } from '../../support/datadog.ts';
import { peersFolder } from '../../support/peers.ts';
import { findCallersBy } from '../support/callers.ts';
import type { Telemetry } from '../support/telemetry.ts';

const CALLER = 'caller ';

/**
 * Starts dd-trace for `client` as the provider of OpenTelemetry's API, through which it offers its own
 * spans and contexts, and keeps its spans. Whose context is active is read from its active span: a key
 * of a context alone is nothing that it promises to carry.
 */
export async function registerDatadog(client: string): Promise<Telemetry> {
  register('dd-trace/loader-hook.mjs', pathToFileURL(`${peersFolder()}/index.js`));
  let ended: DatadogSpan[] = [];
  const callers = new Map<string, string>();
  const tracer = startDatadog(client, (span) => ended.push(span));
  new tracer.TracerProvider().register();
  const provider = trace.getTracerProvider();
  const start = provider.getTracer('test');
  const startSpan = start.startSpan.bind(start);
  // A caller's span is asked for by its name, and known again by its id.
  start.startSpan = (name, ...rest) => {
    const span = startSpan(name, ...rest);
    if (name.startsWith(CALLER)) {
      callers.set(span.spanContext().traceId, name.slice(CALLER.length));
    }
    return span;
  };
  findCallersBy(() => callers.get(trace.getActiveSpan()?.spanContext().traceId ?? ''));
  const spans = (): ReadableSpan[] => ended.map(readable);
  return {
    spans,
    openSpans: () => [],
    onlySpan: () => spans()[0]!,
    reset: () => void (ended = []),
  };
}

/** What the matrix looks at of a span. */
function readable(span: DatadogSpan): ReadableSpan {
  const found = span.context();
  const kind = found.getTag('span.kind') === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL;
  const parent = found._parentId === null ? undefined : found._parentId.toString(16);
  const shown = found.getTag('resource.name');
  return {
    name: typeof shown === 'string' && shown.startsWith(CALLER) ? shown : found._name,
    kind,
    attributes: {},
    spanContext: () => ({
      traceId: found.toTraceId(true),
      spanId: found.toSpanId(true),
      traceFlags: 1,
    }),
    ...(parent && {
      parentSpanContext: { traceId: found.toTraceId(true), spanId: parent, traceFlags: 1 },
    }),
  } as unknown as ReadableSpan;
}
