import {
  ROOT_CONTEXT,
  SpanKind,
  trace as traceApi,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { performance } from 'node:perf_hooks';

import { ATTR_LINK } from './split-span-processor.ts';
import type { AsyncTrace } from './record.ts';
import {
  attributesOfRecord,
  RESOURCE_PREFIX,
  runningSince,
  toMicros,
} from './resource-attributes.ts';
import { shape, type ShapedNode } from './shape.ts';

/*
 * Writes the nodes of a finished group as spans under the span of their request. A node that the
 * span of an operation, such as a query, already represents gets no further span.
 */

/** Jaeger warns of spans that end when they start; the old query API cuts to microseconds. */
const SHORTEST_MILLIS = 0.002;

export interface ResourceSpansOptions {
  tracer: Tracer;
  /** The maximum number of spans per request. Default 100. */
  maxSpans?: number;
}

/** Writes the groups of requests that have a sampled span as spans. Returns their number. */
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
  // A summary of later work would only report that there was little.
  if (shaped.nodes.length > 0 || (hidden > 0 && trace.part === undefined)) {
    writer.writeSummary(trace, shaped.nodes.length, hidden);
  }
  return writer.written;
}

class Writer {
  readonly #tracer: Tracer;
  readonly #traceId: string;
  readonly #root: Context;
  readonly #offset: number;
  readonly #spans = new Map<ShapedNode, SpanContext>();
  written = 0;

  constructor(tracer: Tracer, traceId: string, root: Context, epochOffset: number | undefined) {
    this.#tracer = tracer;
    this.#traceId = traceId;
    this.#root = root;
    this.#offset = epochOffset ?? performance.timeOrigin;
  }

  write(node: ShapedNode): void {
    const { shownBy } = node.record;
    if (shownBy !== undefined) {
      this.#spans.set(node, this.#contextOf(shownBy));
      return;
    }
    const span = this.#tracer.startSpan(
      node.name,
      {
        kind: SpanKind.INTERNAL,
        startTime: node.startedAt + this.#offset,
        attributes: attributesOf(node),
        links: this.#linksOf(node),
      },
      this.#parentOf(node),
    );
    span.end(Math.max(node.endedAt, node.startedAt + SHORTEST_MILLIS) + this.#offset);
    this.#spans.set(node, span.spanContext());
    this.written++;
  }

  /** Totals of the request, here because the request's own span has ended. */
  writeSummary(trace: AsyncTrace, shown: number, folded: number): void {
    // A request is observed a little before its span starts; the span's children stay within the
    // span.
    const startedAt = Math.max(trace.startedAt, trace.owner?.spanStartedAt ?? 0);
    const span = this.#tracer.startSpan(
      'async resources',
      {
        kind: SpanKind.INTERNAL,
        startTime: startedAt + this.#offset,
        attributes: {
          [`${RESOURCE_PREFIX}count`]: trace.records.length + trace.dropped,
          [`${RESOURCE_PREFIX}shown`]: shown,
          [`${RESOURCE_PREFIX}folded`]: folded,
          [`${RESOURCE_PREFIX}dropped`]: trace.dropped,
        },
      },
      this.#root,
    );
    // It has no duration: if it were as long as the request, the request would seem to wait for it.
    span.end(startedAt + SHORTEST_MILLIS + this.#offset);
    this.written++;
  }

  /** Returns the trigger's span, else the span that was active at creation, else the request's. */
  #parentOf(node: ShapedNode): Context {
    const trigger = node.parent && !hasEnded(node.parent, node) && this.#spans.get(node.parent);
    if (trigger) return traceApi.setSpanContext(this.#root, trigger);
    const { spanId } = node.record;
    return spanId ? traceApi.setSpanContext(this.#root, this.#contextOf(spanId)) : this.#root;
  }

  #linksOf(node: ShapedNode): Link[] {
    const { parent, createdBy } = node;
    const links: Link[] = [];
    const link = (to: ShapedNode | undefined, relation: string): void => {
      const context = to && this.#spans.get(to);
      if (context) links.push({ context, attributes: { [ATTR_LINK]: relation } });
    };
    if (parent && hasEnded(parent, node)) link(parent, 'triggered_by');
    link(createdBy, 'created_by');
    return links;
  }

  #contextOf(spanId: string): SpanContext {
    return { traceId: this.#traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  }
}

/**
 * Whether the span of an operation had ended when the triggered work began: it is not the parent
 * then.
 */
function hasEnded({ record }: ShapedNode, node: ShapedNode): boolean {
  return record.shownBy !== undefined && (record.shownUntil ?? Infinity) <= node.startedAt;
}

function attributesOf({ record, startedAt, folded, runMillis, slices }: ShapedNode): Attributes {
  const attributes = attributesOfRecord(record);
  attributes[`${RESOURCE_PREFIX}folded`] = folded;
  attributes[`${RESOURCE_PREFIX}run_ms`] = toMicros(runMillis);
  attributes[`${RESOURCE_PREFIX}running`] = runningSince(startedAt, slices);
  const { description } = record;
  if (description !== undefined) attributes[`${RESOURCE_PREFIX}description`] = description;
  return attributes;
}
