import { context, createContextKey, trace, type Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '../export/sdk/sdk-types.ts';
import { setTimeout as sleep } from 'node:timers/promises';

import { captureStack, type CapturedStack } from '../tracer/stack.ts';
import { toTestSpan, type TestSpan } from './test-span.ts';

/*
 * Which spans belong to which piece of work. A collection is open while its work runs; a span goes to
 * the collection whose key its parent context carries, else to the one that has its trace already
 * (a server in the same process knows the trace by headers alone), else, where only one is open, to
 * that one: a span that lost its context must be seen, not missed.
 */

/** Enough to reach a line of the application below a library that calls itself. */
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

  /** Whether the span is one of this collection. */
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
 * The span processor behind `traceTest`. Clew's own provider has it as soon as `clew/testing` is
 * loaded; give it to a provider of your own: `spanProcessors: [spanCollector]`.
 */
export class SpanCollector implements SpanProcessor {
  readonly #open = new Set<Collection>();
  #seen = false;

  /** Whether a span ever arrived, and so whether a provider has this processor. */
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
      // A span around the test would be the parent of all that the work starts.
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

/** Resolves when nothing of a collection runs for a few turns of the loop, or when time is up. */
async function settled(collection: Collection, settleMillis: number): Promise<void> {
  const until = performance.now() + settleMillis;
  let quiet = 0;
  while (quiet < 3 && performance.now() < until) {
    await sleep(quiet === 0 ? 0 : 1);
    quiet = collection.running === 0 ? quiet + 1 : 0;
  }
}
