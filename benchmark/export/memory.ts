import assert from 'node:assert/strict';

import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { createDelivery } from '../../src/index.ts';
import type { Prepared } from '../harness/group.ts';
import { endSpan } from './pipelines.ts';

/*
 * What a queued span weighs: ends spans that no collector takes, and divides what the whole process
 * grows by, the sender's thread included.
 */
const SPANS = 20_000;

/** A queue that grows by `SPANS` in each round, or spans that no queue keeps. */
export function measureQueue(isKept: boolean): Prepared {
  const delivery = isKept ? createDelivery({ url: 'http://127.0.0.1:9/v1/traces' }) : undefined;
  const provider = new BasicTracerProvider({ spanProcessors: delivery ? [delivery] : [] });
  const tracer = provider.getTracer('benchmark');

  async function endSpans(count: number): Promise<void> {
    for (let ended = 0; ended < count; ended += 1) {
      endSpan(tracer, ended);
      if (ended % 1000 === 999) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  async function settle(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    globalThis.gc?.();
    return process.memoryUsage().rss;
  }
  return {
    // Room that the heaps of both threads take once is not the queue's.
    preflight: async () => {
      await endSpans(SPANS);
      await settle();
      assert.equal(delivery?.stats().queued ?? 0, isKept ? SPANS : 0);
    },
    run: async (count) => {
      const before = await settle();
      await endSpans(count);
      const after = await settle();
      const { queued, queuedBytes } = delivery?.stats() ?? { queued: 1, queuedBytes: 0 };
      return { rss: (after - before) / count, stored: queuedBytes / queued };
    },
    count: SPANS,
    warmUps: 0,
    close: () => process.exit(0),
  };
}
