import { context, createContextKey, trace, type Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '../export/sdk/sdk-types.ts';
import { setTimeout as sleep } from 'node:timers/promises';

import { captureStack, type CapturedStack } from '../tracer/stack.ts';
import { toTestSpan, type TestSpan } from './test-span.ts';

/*
 * Assigns spans to pieces of work. A collection is open while its work runs. A span goes to the
 * collection whose key its parent context carries, or to the one that already has its trace (a
 * server in the same process only has the trace from headers), or, if only one is open, to that
 * one: a span that lost its context must not be missed.
 */

/** Enough frames to reach a line of the application below a recursive library. */
const MAX_FRAMES = 60;

const COLLECTION = createContextKey('clew.testing.collection');

interface Started {
  span: ReadableSpan;
  stack: CapturedStack | undefined;
  ended: boolean;
}

/** The spans of one piece of work. */
export class Collection {
  readonly #spans = new Map<string, Started>();
  readonly traceIds: Set<string> = new Set();
  #running = 0;

  get running(): number {
    return this.#running;
  }

  start(span: ReadableSpan, stack: CapturedStack | undefined): void {
    const { traceId, spanId } = span.spanContext();
    this.traceIds.add(traceId);
    this.#spans.set(spanId, { span, stack, ended: false });
    this.#running += 1;
  }

  /** Whether the span belongs to this collection. */
  end(span: ReadableSpan): boolean {
    const started = this.#spans.get(span.spanContext().spanId);
    if (started === undefined) return false;
    if (!started.ended) this.#running -= 1;
    started.ended = true;
    return true;
  }

  /** All spans in the order of their start. */
  read(): TestSpan[] {
    return [...this.#spans.values()].map(({ span, stack, ended }) =>
      toTestSpan(span, stack, ended),
    );
  }
}

/**
 * The span processor behind `traceTest`. Clew's own provider uses it once `clew/testing` is loaded.
 * Add it to a provider of your own: `spanProcessors: [spanCollector]`.
 */
export class SpanCollector implements SpanProcessor {
  readonly #open = new Set<Collection>();
  #seen = false;

  /** Whether it has ever received a span, which shows that a provider uses this processor. */
  get hasSeenSpans(): boolean {
    return this.#seen;
  }

  /**
   * Runs `work` and collects its spans. After it has settled, waits up to `settleMillis` for spans
   * that have not ended: a server ends its span after its client has the answer.
   */
  async collect<T>(
    work: () => T | Promise<T>,
    settleMillis: number,
  ): Promise<{ result: T; spans: TestSpan[] }> {
    const collection = new Collection();
    this.#open.add(collection);
    try {
      // A span around the test would be the parent of all spans of the work.
      const inside = trace.deleteSpan(context.active()).setValue(COLLECTION, collection);
      const result = await context.with(inside, work);
      await settled(collection, settleMillis);
      return { result, spans: collection.read() };
    } finally {
      this.#open.delete(collection);
    }
  }

  onStart(span: Span, parentContext: Context): void {
    this.#seen = true;
    const collection = this.#collectionOf(span, parentContext);
    collection?.start(span, captureStack(captureStack, MAX_FRAMES));
  }

  onEnd(span: ReadableSpan): void {
    for (const collection of this.#open) if (collection.end(span)) return;
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  #collectionOf(span: Span, parentContext: Context): Collection | undefined {
    if (this.#open.size === 0) return undefined;
    const marked = parentContext.getValue(COLLECTION) as Collection | undefined;
    if (marked !== undefined) return this.#open.has(marked) ? marked : undefined;
    const { traceId } = span.spanContext();
    const open = [...this.#open];
    return (
      open.find(({ traceIds }) => traceIds.has(traceId)) ??
      (open.length === 1 ? open[0] : undefined)
    );
  }
}

/**
 * Resolves when no span of a collection has been open for a few turns of the loop, or when time is
 * up.
 */
async function settled(collection: Collection, settleMillis: number): Promise<void> {
  const until = performance.now() + settleMillis;
  let quiet = 0;
  while (quiet < 3 && performance.now() < until) {
    await sleep(quiet === 0 ? 0 : 1);
    quiet = collection.running === 0 ? quiet + 1 : 0;
  }
}
