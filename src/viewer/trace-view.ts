import { LINK } from './attributes.ts';
import { criticalPath } from './critical-path.ts';
import type { FindingBook } from './findings.ts';
import type { Placed } from './kinship.ts';
import type { Attribute, AttributeValue } from './model.ts';
import type { EventView, LinkView, SpanView, TraceView } from './trace-model.ts';
import { extentOf, rowOf } from './request-row.ts';
import {
  attributeOf,
  nameOf,
  type SpanEvent,
  type SpanLink,
  type StoredAttribute,
} from './span.ts';
import type { Trace, TraceStore } from './store.ts';
import { threadsOf } from './threads.ts';
import { blockerOf, timePartsOf } from './time-parts.ts';
import { typicalOf } from './typical.ts';

const MAX_TEXT = 16 * 1024;

/** A trace, whole, for the page. */
export function traceView(trace: Trace, store: TraceStore, book: FindingBook): TraceView {
  const findings = book.ofTrace(trace);
  const [startNanos, endNanos] = extentOf(trace);
  const typical = typicalOf(trace, store);
  const builder = new Builder(trace, store, startNanos, findings);
  const { circular } = trace.kinship;
  return {
    traceId: trace.traceId,
    request: { ...rowOf(trace), findings: findings.length },
    duration: Number(endNanos - startNanos) / 1e3,
    spans: trace.kinship.order.map((placed) => builder.span(placed)),
    resources: builder.resources,
    scopes: builder.scopes,
    spansDropped: trace.spansDropped,
    warnings:
      circular > 0
        ? [`${circular} spans are ancestors of each other: their parents form a circle`]
        : [],
    findings,
    threads: threadsOf(trace, store, startNanos, findings),
    ...(typical ? { typical } : {}),
  };
}

class Builder {
  readonly resources: TraceView['resources'] = [];
  readonly scopes: TraceView['scopes'] = [];
  readonly #places = new Map<string, number>();
  readonly #store: TraceStore;
  readonly #startNanos: bigint;
  readonly #critical: ReturnType<typeof criticalPath>;
  readonly #findings = new Map<string, number[]>();

  constructor(
    trace: Trace,
    store: TraceStore,
    startNanos: bigint,
    findings: readonly TraceView['findings'][number][],
  ) {
    this.#store = store;
    this.#startNanos = startNanos;
    this.#critical = criticalPath(trace.kinship.root);
    findings.forEach(({ spans }, index) => {
      for (const { spanId } of spans) {
        this.#findings.set(spanId, [...(this.#findings.get(spanId) ?? []), index]);
      }
    });
  }

  span({ of, depth, descendants }: Placed): SpanView {
    const { span, spanId, parentId, endNanos, warnings } = of;
    const { message, code } = span.status;
    const critical = this.#critical.get(of) ?? [];
    const parts = timePartsOf(span);
    const blockedBy = blockerOf(span);
    const dropped = Object.entries(span.dropped).filter(([, count]) => count > 0);
    return {
      id: spanId,
      ...(parentId === undefined ? {} : { parentId }),
      depth,
      descendants,
      name: nameOf(span),
      kind: span.kind,
      service: span.origin.service,
      start: this.#at(span.startNanos),
      end: this.#at(endNanos),
      status: message === '' ? { code } : { code, message: cut(message) },
      attributes: viewAttributes(span.attributes),
      events: span.events.toSorted(byTime).map((event) => this.#event(event)),
      links: span.links.map((link) => this.#link(link)),
      resource: this.#resource(of.span.origin),
      scope: this.#scope(of.span.origin.scope),
      warnings,
      findings: this.#findings.get(span.spanId) ?? [],
      critical: critical.map(([start, end]) => [this.#at(start), this.#at(end)]),
      ...(parts ? { parts } : {}),
      ...(blockedBy ? { blockedBy } : {}),
      ...(dropped.length > 0 ? { dropped: Object.fromEntries(dropped) } : {}),
    };
  }

  #at(nanos: bigint): number {
    return Number(nanos - this.#startNanos) / 1e3;
  }

  #event(event: SpanEvent): EventView {
    const { name, timeNanos, attributes } = event;
    const view: EventView = {
      name,
      at: this.#at(timeNanos),
      attributes: viewAttributes(attributes),
    };
    if (name !== 'exception') return view;
    const exception: NonNullable<EventView['exception']> = {};
    for (const [key, attribute] of [
      ['type', 'exception.type'],
      ['message', 'exception.message'],
      ['stack', 'exception.stacktrace'],
    ] as const) {
      const value = attributeOf(event, attribute);
      if (typeof value === 'string') exception[key] = cut(value);
    }
    return { ...view, exception };
  }

  #link(link: SpanLink): LinkView {
    const { traceId, spanId } = link;
    const relation = attributeOf(link, LINK);
    return {
      traceId,
      spanId,
      attributes: viewAttributes(link.attributes),
      ...(typeof relation === 'string' ? { relation } : {}),
      known: this.#store.get(traceId)?.has(spanId) === true,
    };
  }

  #resource({ service, resource }: Placed['of']['span']['origin']): number {
    return this.#place(`resource ${JSON.stringify(resource)}`, this.resources, () => ({
      service,
      attributes: viewAttributes(resource),
    }));
  }

  #scope({ name, version }: { name: string; version: string }): number {
    return this.#place(`scope ${JSON.stringify([name, version])}`, this.scopes, () =>
      version === '' ? { name } : { name, version },
    );
  }

  #place<View>(key: string, views: View[], make: () => View): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, views.length);
    return views.push(make()) - 1;
  }
}

function byTime(a: SpanEvent, b: SpanEvent): number {
  return a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : 0;
}

/** Attributes as the contract has them: pairs, with texts that a page can hold. */
export function viewAttributes(attributes: readonly StoredAttribute[]): Attribute[] {
  return attributes.map(([key, value]) => [key, cutValue(value)]);
}

function cutValue(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  const text = JSON.stringify(value);
  return text.length > MAX_TEXT ? cut(text) : value;
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
}
