import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { DeliverySpanProcessor } from '../../src/export/delivery.ts';
import type { DeliveryOptions } from '../../src/export/options.ts';
import { imbalance } from '../../src/export/stats.ts';
import { startReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { assertBalanced, keepBook, sumOf, type Book } from './support/books.ts';
import { runApp } from './support/fixture.ts';
import { endSpans, makeSpan } from './support/spans.ts';
import { isCollected } from '../support/collected.ts';

/** The threads that start until `stop`; `process.on('worker')` does not show those of the package. */
function watchThreads(): { started: Worker[]; stop(): void } {
  const started: Worker[] = [];
  const remember = (message: unknown): void =>
    void started.push((message as { worker: Worker }).worker);
  subscribe('worker_threads', remember);
  return { started, stop: () => void unsubscribe('worker_threads', remember) };
}

describe('DeliverySpanProcessor', function () {
  this.timeout(120_000);
  let receiver: OtlpReceiver;
  let delivery: DeliverySpanProcessor | undefined;
  let book: Book | undefined;

  beforeEach(async () => {
    receiver = await startReceiver();
    delivery = undefined;
    book = undefined;
  });
  afterEach(async () => {
    await delivery?.shutdown();
    await receiver.close();
    if (book) assertBalanced([book], book.stats.ended);
  });

  function start(options: DeliveryOptions = {}): DeliverySpanProcessor {
    const url = `${receiver.url}/v1/traces`;
    delivery = new DeliverySpanProcessor({ url, scheduleDelayMillis: 10, ...options });
    ({ book } = keepBook(delivery));
    return delivery;
  }

  it('starts no thread before the first span', async () => {
    const threads = watchThreads();
    const processor = start();
    assert.equal(threads.started.length, 0);
    endSpans(processor, 1);
    await processor.forceFlush();
    assert.equal(threads.started.length, 1);
    threads.stop();
  });

  it('leaves out spans that are not sampled', async () => {
    const processor = start();
    const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 };
    processor.onEnd(makeSpan({ spanContext: () => spanContext }));
    await processor.forceFlush();
    assert.equal(processor.stats().ended, 0);
  });

  it('counts a span that cannot be read, and sends the others', async () => {
    const processor = start();
    const hostile = {
      get long(): string {
        throw new Error('hostile');
      },
    };
    processor.onEnd(makeSpan({ attributes: hostile }));
    processor.onEnd(makeSpan({ name: 'good' }));
    await processor.forceFlush();
    assert.deepEqual(
      receiver.spans.map(({ name }) => name),
      ['good'],
    );
    assert.equal(processor.stats().droppedBy.unencodable, 1);
    assert.equal(imbalance(processor.stats()), 0);
  });

  it('counts a span that is too large for any request, its texts cut', async () => {
    const processor = start();
    const texts = Array.from({ length: 300 }, (_, index) => [`text ${index}`, 'x'.repeat(20_000)]);
    processor.onEnd(makeSpan({ attributes: Object.fromEntries(texts) }));
    processor.onEnd(makeSpan());
    await processor.forceFlush();
    assert.equal(receiver.spans.length, 1);
    assert.equal(processor.stats().droppedBy.unencodable, 1);
  });

  it('waits for a resource whose attributes are still being found out', async () => {
    const processor = start();
    let find: (value: string) => void = () => undefined;
    const found = new Promise<string>((resolve) => (find = resolve));
    const resource = resourceFromAttributes({ 'service.name': 'shop', 'host.id': found });
    const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
    provider.getTracer('a').startSpan('early').end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(receiver.requests.length, 0);
    find('machine 7');
    await receiver.waitForSpans(1);
    assert.equal(receiver.spans[0]?.resource['host.id'], 'machine 7');
    provider.getTracer('b').startSpan('late').end();
    await receiver.waitForSpans(2);
    assert.equal(receiver.spans[1]?.resource['host.id'], 'machine 7');
  });

  it('keeps spans of more origins than it numbers apart', async () => {
    const processor = start();
    for (let i = 0; i < 2500; i++) {
      processor.onEnd(makeSpan({ instrumentationScope: { name: `scope ${i}` }, name: `${i}` }));
    }
    await processor.forceFlush();
    assert.equal(receiver.spans.length, 2500);
    for (const span of receiver.spans) assert.equal(span.scope.name, `scope ${span.name}`);
  });

  it('sends what ends while it shuts down, and counts what ends afterwards', async () => {
    const processor = start();
    receiver.fault = () => ({ delayMillis: 30 });
    endSpans(processor, 10);
    const done = processor.shutdown();
    await Promise.resolve();
    endSpans(processor, 5);
    await done;
    assert.equal(receiver.spans.length, 15);
    endSpans(processor, 2);
    const stats = processor.stats();
    assert.equal(stats.droppedBy.after_shutdown, 2);
    assert.equal(imbalance(stats), 0);
  });

  it('flushes for each of two callers at once', async () => {
    const processor = start();
    receiver.fault = () => ({ delayMillis: 20 });
    endSpans(processor, 10);
    const first = processor.forceFlush().then(() => receiver.distinct);
    endSpans(processor, 10);
    const second = processor.forceFlush().then(() => receiver.distinct);
    assert.ok((await first) >= 10);
    assert.equal(await second, 20);
  });

  it('makes the application wait where it is configured to, and then drops nothing', async () => {
    receiver.fault = () => ({ delayMillis: 5 });
    const options = { onOverflow: 'block', maxQueueBytes: 200_000, blockMillis: 20_000 };
    const { books } = await runApp('shutdown', receiver.url, {
      env: { COUNT: '5000', OPTIONS: JSON.stringify(options) },
    });
    assertBalanced(books, 5000);
    assert.deepEqual([sumOf(books, 'accepted'), sumOf(books, 'dropped')], [5000, 0]);
  });

  it('starts another thread where one has died, and accounts for what that had', async () => {
    const threads = watchThreads();
    const processor = start();
    receiver.fault = () => ({ status: 503 });
    endSpans(processor, 10);
    await receiver.waitUntil(() => receiver.requests.length > 0);
    const [worker] = threads.started;
    assert.ok(worker);
    const exited = once(worker, 'exit');
    await worker.terminate();
    await exited;
    receiver.fault = undefined;
    endSpans(processor, 10);
    await processor.forceFlush();
    threads.stop();
    assert.equal(receiver.distinct, 10);
    assert.equal(processor.stats().droppedBy.sender_died, 10);
    assert.equal(imbalance(processor.stats()), 0);
  });

  it('sends from one thread such that instrumentations leave its requests alone', async () => {
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
    const seen: unknown[] = [];
    const processor = start({ thread: false });
    receiver.fault = () => undefined;
    const { channel } = await import('node:diagnostics_channel');
    const onRequest = (): void => void seen.push(context.active().getValue(key));
    channel('http.client.request.start').subscribe(onRequest);
    context.with(ROOT_CONTEXT.setValue(createContextKey('user'), 1), () => endSpans(processor, 1));
    await receiver.waitForSpans(1);
    channel('http.client.request.start').unsubscribe(onRequest);
    assert.deepEqual(seen, [true]);
  });

  it('has something unsent from the start of a span until it is sent, and nothing after the shutdown', async () => {
    const processor = start();
    let heard = 0;
    processor.onUnsent(() => heard++);
    const provider = new BasicTracerProvider({ spanProcessors: [processor] });
    const span = provider.getTracer('test').startSpan('open');
    assert.deepEqual([heard, processor.hasUnsent], [1, true]);
    span.end();
    await processor.forceFlush();
    assert.equal(processor.hasUnsent, false);
    await processor.shutdown();
    processor.onStart(span);
    assert.deepEqual([heard, processor.hasUnsent], [1, false]);
  });

  it('does not keep the store of the code that ends a span', async () => {
    const processor = start();
    const storage = new AsyncLocalStorage<object>();
    let store: object | undefined = { request: 1 };
    const reference = new WeakRef(store);
    storage.run(store, () => endSpans(processor, 3));
    store = undefined;
    await processor.forceFlush();
    assert.ok(await isCollected(reference));
  });
});
