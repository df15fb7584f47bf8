import {
  ROOT_CONTEXT,
  SpanKind,
  trace as traceApi,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { performance } from 'node:perf_hooks';

import { ATTR_LINK } from './split-span-processor.ts';
import type { AsyncTrace } from './record.ts';
import { creationLine } from './stack.ts';
import { shape, type ShapedNode } from './shape.ts';

/*
 * The nodes of a finished group as spans under the span of their request.
 */

const PREFIX = 'clew.async_resource.';
/** Jaeger warns of spans that end when they start; the old query API cuts to microseconds. */
const SHORTEST_MILLIS = 0.002;

export interface ResourceSpansOptions {
  tracer: Tracer;
  /** Spans per request. Default 100. */
  maxSpans?: number;
}

/** Writes the groups of requests that have a sampled span as spans. Returns how many there were. */
export function writeResourceSpans(trace: AsyncTrace, options: ResourceSpansOptions): number {
  const { owner } = trace;
  if (!owner?.traceId || !owner.spanId || owner.sampled !== true) return 0;
  const root = traceApi.setSpanContext(ROOT_CONTEXT, {
    traceId: owner.traceId,
    spanId: owner.spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  const shaped = shape(trace, options.maxSpans);
  const writer = new Writer(options.tracer, owner.traceId, root, owner.epochOffset);
  for (const node of shaped.nodes) writer.write(node);
  const hidden = shaped.folded + shaped.nodesFolded;
  // Of what went on later a summary would only say that there was little.
  if (shaped.nodes.length > 0 || (hidden > 0 && trace.part === undefined)) {
    writer.writeSummary(trace, shaped.nodes.length, hidden);
  }
  return shaped.nodes.length + 1;
}

class Writer {
  readonly #tracer: Tracer;
  readonly #traceId: string;
  readonly #root: Context;
  readonly #offset: number;
  readonly #spans = new Map<ShapedNode, Span>();

  constructor(tracer: Tracer, traceId: string, root: Context, epochOffset: number | undefined) {
    this.#tracer = tracer;
    this.#traceId = traceId;
    this.#root = root;
    this.#offset = epochOffset ?? performance.timeOrigin;
  }

  write(node: ShapedNode): void {
    const creator = node.createdBy && this.#spans.get(node.createdBy);
    const links: Link[] = creator
      ? [{ context: creator.spanContext(), attributes: { [ATTR_LINK]: 'created_by' } }]
      : [];
    const span = this.#tracer.startSpan(
      node.name,
      {
        kind: SpanKind.INTERNAL,
        startTime: node.startedAt + this.#offset,
        attributes: attributesOf(node),
        links,
      },
      this.#parentOf(node),
    );
    span.end(Math.max(node.endedAt, node.startedAt + SHORTEST_MILLIS) + this.#offset);
    this.#spans.set(node, span);
  }

  /** What the request made in all: the request's own span has ended and cannot say so. */
  writeSummary(trace: AsyncTrace, shown: number, folded: number): void {
    // A request is known some time before its span starts; the span's children keep within it.
    const startedAt = Math.max(trace.startedAt, trace.owner?.spanStartedAt ?? 0);
    const span = this.#tracer.startSpan(
      'async resources',
      {
        kind: SpanKind.INTERNAL,
        startTime: startedAt + this.#offset,
        attributes: {
          [`${PREFIX}count`]: trace.records.length + trace.dropped,
          [`${PREFIX}shown`]: shown,
          [`${PREFIX}folded`]: folded,
          [`${PREFIX}dropped`]: trace.dropped,
        },
      },
      this.#root,
    );
    const end = Math.max(trace.owner?.endedAt ?? trace.endedAt, startedAt + SHORTEST_MILLIS);
    span.end(end + this.#offset);
  }

  /** The trigger's span, else the span that was active at creation, else the request's. */
  #parentOf(node: ShapedNode): Context {
    const parent = node.parent && this.#spans.get(node.parent);
    if (parent) return traceApi.setSpan(this.#root, parent);
    const { spanId } = node.record;
    if (!spanId) return this.#root;
    return traceApi.setSpanContext(this.#root, {
      traceId: this.#traceId,
      spanId,
      traceFlags: TraceFlags.SAMPLED,
    });
  }
}

function attributesOf(node: ShapedNode): Attributes {
  const { record } = node;
  const attributes: Attributes = {
    [`${PREFIX}id`]: record.asyncId,
    [`${PREFIX}type`]: record.type,
    [`${PREFIX}trigger_id`]: record.triggerAsyncId,
    [`${PREFIX}execution_id`]: record.executionAsyncId,
    [`${PREFIX}callbacks`]: Math.ceil(record.slices.length / 2) + record.slicesDropped,
    [`${PREFIX}folded`]: node.folded,
    [`${PREFIX}run_ms`]: Math.round(node.runMillis * 1e3) / 1e3,
  };
  if (record.description !== undefined) attributes[`${PREFIX}description`] = record.description;
  const line = record.stack && creationLine(record.stack);
  if (line !== undefined) attributes[`${PREFIX}created_at`] = line;
  if (record.bornBefore) attributes[`${PREFIX}born_before`] = true;
  return attributes;
}
