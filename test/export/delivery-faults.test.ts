import assert from 'node:assert/strict';

import { DeliverySpanProcessor } from '../../src/export/delivery.ts';
import type { DeliveryOptions } from '../../src/export/options.ts';
import { startReceiver, type Fault, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { assertBalanced, keepBook, type Book } from './support/books.ts';
import { endSpans } from './support/spans.ts';

/** Waits a thousandth of what a process waits by default. */
const IMPATIENT: DeliveryOptions = {
  backoff: { initialMillis: 5, maxMillis: 20 },
  timeoutMillis: 250,
  maxBatchSpans: 50,
  scheduleDelayMillis: 10,
};

for (const thread of [true, false]) {
  describe(`DeliverySpanProcessor ${thread ? 'with a sender thread' : 'on one thread'}`, function () {
    this.timeout(120_000);
    let receiver: OtlpReceiver;
    let delivery: DeliverySpanProcessor;
    let book: Book;

    async function start(options: DeliveryOptions = {}): Promise<void> {
      receiver = await startReceiver();
      const url = `${receiver.url}/v1/traces`;
      delivery = new DeliverySpanProcessor({ url, thread, ...IMPATIENT, ...options });
      ({ book } = keepBook(delivery));
    }

    afterEach(async () => {
      await receiver.close();
      await delivery.shutdown();
      assertBalanced([book], delivery.stats().ended);
      assert.equal(delivery.stats().queued, 0);
    });

    /** Ends 200 spans while the first requests meet a fault, and expects all to arrive once. */
    async function survives(fault: Fault, requests = 3): Promise<void> {
      await start();
      receiver.fault = ({ index }) => (index < requests ? fault : undefined);
      endSpans(delivery, 200);
      await receiver.waitForSpans(200, 30_000);
      await delivery.forceFlush();
      assert.equal(receiver.distinct, 200);
      const { accepted, dropped, rejected, failedRequests } = delivery.stats();
      assert.deepEqual({ accepted, dropped, rejected }, { accepted: 200, dropped: 0, rejected: 0 });
      assert.ok(failedRequests > 0);
    }

    for (const status of [408, 429, 500, 502, 503, 504, 401, 404]) {
      it(`loses nothing to a collector that answers ${status} at first`, async () => {
        await survives({ status });
        assert.equal(receiver.spans.length, 200);
      });
    }

    it('loses nothing to connections cut before the spans are taken', async () => {
      await survives({ reset: 'before' });
    });

    it('loses nothing to connections cut before the answer, at the price of duplicates', async () => {
      await survives({ reset: 'after' }, 1);
      assert.ok(receiver.spans.length > 200);
    });

    it('loses nothing to a collector that never answers at first', async () => {
      await survives({ hang: true }, 1);
    });

    it('waits as long as Retry-After asks, and no request comes before', async () => {
      await start();
      let refusedAt = 0;
      const tooEarly: number[] = [];
      receiver.fault = ({ index }) => {
        if (index === 0) {
          refusedAt = performance.now();
          return { status: 429, headers: { 'retry-after': '1' } };
        }
        const waited = performance.now() - refusedAt;
        if (waited < 990) tooEarly.push(waited);
        return undefined;
      };
      endSpans(delivery, 20);
      await receiver.waitForSpans(20, 30_000);
      assert.deepEqual(tooEarly, []);
    });

    it('cuts a request that is too large until it fits', async () => {
      await start({ maxBatchSpans: 1000 });
      receiver.fault = ({ spans }) => (spans.length > 30 ? { status: 413 } : undefined);
      endSpans(delivery, 200);
      await receiver.waitForSpans(200, 30_000);
      assert.equal(receiver.spans.length, 200);
    });

    it('isolates the span for which a request is malformed and sets that one aside', async () => {
      await start();
      receiver.fault = ({ spans }) => {
        return spans.some(({ name }) => name === 'span 77') ? { status: 400 } : undefined;
      };
      endSpans(delivery, 200);
      await receiver.waitForSpans(199, 30_000);
      await delivery.forceFlush();
      const { accepted, droppedBy } = delivery.stats();
      assert.equal(accepted, 199);
      assert.equal(droppedBy.refused, 1);
    });

    it('isolates the span on which a collector fails, once others pass', async () => {
      await start();
      receiver.fault = ({ spans }) => {
        return spans.some(({ name }) => name === 'span 77') ? { status: 500 } : undefined;
      };
      const traffic = setInterval(() => endSpans(delivery, 1), 10);
      endSpans(delivery, 200);
      await receiver.waitUntil(() => delivery.stats().droppedBy.refused === 1, 40_000);
      clearInterval(traffic);
      await delivery.forceFlush();
      const { ended, accepted, dropped } = delivery.stats();
      assert.equal(accepted, ended - 1);
      assert.equal(dropped, 1);
    });

    it('sets aside what the collector never takes, after a number of attempts', async () => {
      await start({ maxRefusals: 3 });
      receiver.fault = () => ({ status: 403 });
      endSpans(delivery, 10);
      await receiver.waitUntil(() => delivery.stats().droppedBy.refused === 10, 30_000);
      assert.equal(delivery.stats().failedRequests, 3);
    });

    it('counts what a partial success rejects', async () => {
      await start();
      receiver.fault = () => ({ rejectSpans: ({ name }) => name.endsWith('7') });
      endSpans(delivery, 100);
      await delivery.forceFlush();
      const { accepted, rejected } = delivery.stats();
      assert.deepEqual({ accepted, rejected }, { accepted: 90, rejected: 10 });
    });

    it('drops the oldest beyond the bound, and counts them', async () => {
      await start({ maxQueueSpans: 100 });
      receiver.fault = () => ({ status: 503 });
      for (let i = 0; i < 10; i++) {
        endSpans(delivery, 50, { round: i });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await receiver.waitUntil(() => delivery.stats().droppedBy.overflow >= 400, 30_000);
      receiver.fault = undefined;
      await receiver.waitForSpans(100, 30_000);
      const rounds = receiver.spans.flatMap((span) => {
        return span.attributes
          .filter(({ key }) => key === 'round')
          .map(({ value }) => value.intValue);
      });
      // What is in a request under way at that moment cannot be dropped.
      assert.ok(rounds.filter((round) => Number(round) < 7).length <= 50, rounds.join());
    });

    it('brings back the spans of an outage in which the collector went away', async () => {
      await start();
      const { port } = receiver;
      await receiver.close();
      endSpans(delivery, 300);
      await receiver.waitUntil(() => delivery.stats().failing, 30_000);
      receiver = await startReceiver({ port });
      await receiver.waitForSpans(300, 30_000);
      await delivery.forceFlush();
      assert.equal(delivery.stats().accepted, 300);
      assert.equal(delivery.stats().failing, false);
    });
  });
}
