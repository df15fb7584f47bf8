import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DeliverySpanProcessor } from '../../../src/export/delivery.ts';
import type { DeliveryOptions } from '../../../src/export/options.ts';
import { CHUNK_BYTES } from '../../../src/export/span-buffer.ts';
import { startReceiver, type OtlpReceiver } from '../../support/otlp-receiver.ts';
import { assertBalanced, keepBook, type Book } from '../support/books.ts';
import { runApp } from '../support/fixture.ts';
import { endSpans } from '../support/spans.ts';

const NOWHERE = 'http://127.0.0.1:9';

describe('the write-ahead spool', function () {
  this.timeout(120_000);
  let root: string;
  let spool: string;
  let receiver: OtlpReceiver;
  const deliveries: DeliverySpanProcessor[] = [];
  const books: Book[] = [];

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'clew-spool-'));
    spool = join(root, 'spool');
    receiver = await startReceiver();
  });
  afterEach(async () => {
    for (const delivery of deliveries.splice(0)) await delivery.shutdown();
    for (const book of books.splice(0)) assertBalanced([book], book.stats.ended);
    await receiver.close();
    rmSync(root, { recursive: true });
  });

  function start(options: DeliveryOptions = {}): DeliverySpanProcessor {
    const delivery = new DeliverySpanProcessor({
      url: `${receiver.url}/v1/traces`,
      spool,
      backoff: { initialMillis: 5, maxMillis: 20 },
      scheduleDelayMillis: 10,
      flushFailingMillis: 200,
      ...options,
    });
    deliveries.push(delivery);
    books.push(keepBook(delivery).book);
    return delivery;
  }

  function files(folder = spool): string[] {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
      return statSync(join(folder, name)).isFile();
    });
  }

  for (const end of ['SIGKILL', 'out of memory', 'abort', 'process.exit']) {
    it(`keeps every span that had ended, for the next start: ${end}`, async () => {
      const ending = await runApp(end, NOWHERE, {
        env: { SPOOL: spool },
        nodeOptions: ['--max-old-space-size=64'],
      });
      assertBalanced(ending.books, 1000);
      const delivery = start();
      await receiver.waitForSpans(1000);
      await delivery.forceFlush();
      assert.equal(delivery.stats().adopted, 1000);
      assert.equal(delivery.stats().accepted, 1000);
      assert.equal(receiver.distinct, 1000);
      await delivery.shutdown();
      assert.deepEqual(files(), []);
      assert.deepEqual(readdirSync(spool), []);
    });
  }

  for (const end of ['SIGKILL after a delivery', 'out of memory after a delivery']) {
    it(`sends nothing again that the collector has acknowledged: ${end}`, async () => {
      const { books: before } = await runApp(end, receiver.url, {
        env: { SPOOL: spool, COUNT: '4000' },
        nodeOptions: ['--max-old-space-size=64'],
      });
      assertBalanced(before, 4000);
      const arrived = receiver.spans.length;
      assert.ok(arrived > 0);
      const delivery = start();
      await delivery.forceFlush();
      assert.equal(delivery.stats().adopted, 4000 - arrived);
      assert.equal(receiver.distinct, 4000);
      assert.equal(receiver.spans.length, 4000);
      await delivery.shutdown();
      assert.deepEqual(readdirSync(spool), []);
    });
  }

  it('sends nothing again although it is killed while it delivers what another left', async () => {
    const env = {
      SPOOL: spool,
      COUNT: '400',
      OPTIONS: JSON.stringify({ maxBatchSpans: 50, maxInFlight: 1 }),
    };
    await runApp('SIGKILL', NOWHERE, { env });
    // Half of what was left is taken, and the rest hangs until the next process is killed as well.
    let kill = (): void => undefined;
    receiver.fault = ({ index }) => {
      if (index < 4) return undefined;
      kill();
      return { hang: true };
    };
    await runApp('SIGKILL on request', receiver.url, {
      env,
      onReady: (child) => (kill = () => void child.kill('SIGKILL')),
    });
    receiver.fault = undefined;
    assert.equal(receiver.spans.length, 200);
    const delivery = start();
    await delivery.forceFlush();
    assert.equal(delivery.stats().adopted, 200);
    assert.equal(receiver.spans.length, 400);
    assert.equal(receiver.distinct, 400);
  });

  it('sends the same span again after a crash only as an exact copy', async () => {
    receiver.fault = () => ({ reset: 'after' });
    await runApp('natural', receiver.url, { env: { SPOOL: spool, COUNT: '20' } });
    receiver.fault = undefined;
    await start().forceFlush();
    assert.equal(receiver.distinct, 20);
    assert.ok(receiver.spans.length > 20);
    const copies = new Set(receiver.spans.map((span) => JSON.stringify(span)));
    assert.equal(copies.size, 20);
  });

  it('leaves nothing on disk once everything is delivered', async () => {
    const delivery = start();
    endSpans(delivery, 500);
    await delivery.shutdown();
    assert.equal(receiver.distinct, 500);
    assert.deepEqual(readdirSync(spool), []);
  });

  it('keeps what shutdown could not deliver, and reports it in the stats', async () => {
    const delivery = start({ url: `${NOWHERE}/v1/traces` });
    endSpans(delivery, 100);
    await delivery.shutdown();
    const { queued, spooled, dropped } = delivery.stats();
    assert.deepEqual({ queued, spooled, dropped }, { queued: 0, spooled: 100, dropped: 0 });
    assert.ok(files().length > 0);
  });

  it('keeps on disk what no longer fits into memory, and brings it back', async () => {
    const delivery = start({ maxQueueBytes: 20_000 });
    receiver.fault = () => ({ status: 503 });
    for (let i = 0; i < 10; i++) {
      endSpans(delivery, 100);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await receiver.waitUntil(() => delivery.stats().spooled > 500);
    assert.ok(delivery.stats().queuedBytes <= 20_000 + CHUNK_BYTES);
    receiver.fault = undefined;
    await receiver.waitForSpans(1000);
    await delivery.forceFlush();
    const { accepted, dropped, spooled } = delivery.stats();
    assert.deepEqual({ accepted, dropped, spooled }, { accepted: 1000, dropped: 0, spooled: 0 });
    assert.equal(receiver.spans.length, 1000);
  });

  it('deletes the oldest beyond its cap, and counts them', async () => {
    const delivery = start({
      url: `${NOWHERE}/v1/traces`,
      maxQueueBytes: 10_000,
      spoolMaxBytes: 2_500_000,
    });
    for (let i = 0; i < 60; i++) {
      endSpans(delivery, 100, { text: 'x'.repeat(1000) });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await receiver.waitUntil(() => delivery.stats().droppedBy.overflow > 0);
    const { droppedBy, ended, spooledBytes } = delivery.stats();
    assert.ok(droppedBy.overflow < ended);
    assert.ok(spooledBytes <= 2_500_000 + 1024 * 1024 + CHUNK_BYTES);
  });

  it('makes a folder and files for its owner alone', async () => {
    const delivery = start({ url: `${NOWHERE}/v1/traces` });
    endSpans(delivery, 1);
    assert.equal(statSync(spool).mode & 0o777, 0o700);
    assert.equal(statSync(delivery.spoolFolder as string).mode & 0o777, 0o700);
    const [file] = files(delivery.spoolFolder).filter((name) => name.endsWith('.spool'));
    assert.equal(
      statSync(join(delivery.spoolFolder as string, file as string)).mode & 0o777,
      0o600,
    );
  });
});
