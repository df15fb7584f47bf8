import assert from 'node:assert/strict';

import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Job } from 'bullmq';

import type { ConsumerSpan } from '../../../../src/instrumentation/index.ts';
import { activeSpan, activeTrace, inSpan, linkedTo } from '../spans.ts';
import { describeVersions, ended } from './setup.ts';

describeVersions('A worker', (make, bullmq) => {
  it('has a span for a job that is linked to its producer, with what the job does below it', async () => {
    const bench = make();
    const queue = bench.queue();
    const worker = bench.worker(queue, async (job: Job<{ n: number }>) => {
      await job.log('at work');
      return inSpan('query', async () => job.data.n + 1);
    });
    const done = ended(worker);
    const job = await inSpan('request', () => queue.add('pay', { n: 1 }));
    await done;
    const [send] = bench.sent;
    const [processed] = bench.processed;
    assert.equal(bench.processed.length, 1);
    assert.equal(processed?.name, `process ${queue.name}`);
    assert.equal(processed.kind, SpanKind.CONSUMER);
    assert.equal(processed.parentSpanContext, undefined);
    assert.deepEqual(linkedTo(processed), [send?.spanContext().spanId]);
    assert.deepEqual(processed.attributes, {
      'messaging.system.name': 'bullmq',
      'messaging.system': 'bullmq',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue.name,
      'messaging.message.id': job.id,
      'server.address': bench.connection.host,
      'server.port': bench.connection.port,
      'bullmq.job.name': 'pay',
      'bullmq.job.attempts.made': 0,
    });
    const query = bench.telemetry.spans().find(({ name }) => name === 'query');
    assert.equal(query?.parentSpanContext?.spanId, processed.spanContext().spanId);
    assert.equal((await queue.getJob(job.id ?? ''))?.returnvalue, 2);
  });

  /** The spans of one job whose worker was made while `ambient` was active. */
  const runOne = async (
    consumerSpan: ConsumerSpan,
    options: object = {},
  ): Promise<{ parent: string | undefined; links: string[]; send: string; ambient: string }> => {
    const bench = make({ consumerSpan });
    const queue = bench.queue();
    const ambient = trace.getTracer('app').startSpan('ambient');
    const worker = context.with(trace.setSpan(ROOT_CONTEXT, ambient), () =>
      bench.worker(queue, () => activeTrace()),
    );
    const done = ended(worker);
    await inSpan('request', () => queue.add('pay', {}, options));
    await done;
    const [[send], [processed]] = [bench.sent, bench.processed];
    return {
      parent: processed?.parentSpanContext?.spanId,
      links: linkedTo(processed),
      send: send!.spanContext().spanId,
      ambient: ambient.spanContext().spanId,
    };
  };

  it('has a span under what is active where it runs, with a link, by default', async () => {
    const { parent, links, send, ambient } = await runOne('link');
    assert.deepEqual([parent, links], [ambient, [send]]);
  });

  it('has a child of the producer where `consumerSpan` is child', async () => {
    const { parent, links, send } = await runOne('child');
    assert.deepEqual([parent, links], [send, []]);
  });

  it('has a trace of its own where `consumerSpan` is root', async () => {
    const { parent, links, send } = await runOne('root');
    assert.deepEqual([parent, links], [undefined, [send]]);
  });

  it('links a delayed job where `consumerSpan` is child', async () => {
    const { links, send } = await runOne('child', { delay: 20 });
    assert.deepEqual(links, [send]);
  });

  it('keeps three jobs at a time apart', async () => {
    const bench = make({ consumerSpan: 'child' });
    const queue = bench.queue();
    const seen = new Map<string, (string | undefined)[]>();
    const worker = bench.worker(
      queue,
      async (job: Job) => {
        const before = activeTrace();
        await new Promise((resolve) => setTimeout(resolve, 20));
        await job.updateProgress(50);
        seen.set(job.name, [before, activeTrace()]);
      },
      { concurrency: 3 },
    );
    const done = ended(worker, 3);
    const names = ['one', 'two', 'three'];
    await Promise.all(names.map((name) => inSpan(name, () => queue.add(name, {}))));
    await done;
    for (const name of names) {
      const trace = bench.telemetry
        .spans()
        .find((span) => span.name === name)
        ?.spanContext();
      assert.deepEqual(seen.get(name), [trace?.traceId, trace?.traceId]);
    }
  });

  it('has a span for each attempt, with the error of each that failed', async () => {
    const bench = make({ consumerSpan: 'child' });
    const queue = bench.queue();
    const worker = bench.worker(queue, async (job: Job) => {
      if (job.attemptsMade === 0) throw new RangeError('not yet');
      return 'done';
    });
    const done = ended(worker);
    await queue.add('pay', {}, { attempts: 2 });
    await done;
    const [first, second] = bench.processed;
    const send = bench.sent[0]?.spanContext().spanId;
    assert.deepEqual(
      bench.processed.map(({ parentSpanContext }) => parentSpanContext?.spanId),
      [send, send],
    );
    assert.equal(first?.attributes['error.type'], 'RangeError');
    assert.deepEqual(first.status, { code: SpanStatusCode.ERROR, message: 'not yet' });
    assert.equal(first.events[0]?.attributes?.['exception.message'], 'not yet');
    assert.equal(second?.status.code, SpanStatusCode.UNSET);
    assert.equal(second.attributes['bullmq.job.attempts.made'], 1);
  });

  it('has no error for a job that puts itself off', async () => {
    const bench = make();
    const queue = bench.queue();
    let isPutOff = false;
    const worker = bench.worker(queue, async (job: Job, ...[token]: string[]) => {
      if (isPutOff) return;
      isPutOff = true;
      await job.moveToDelayed(Date.now() + 20, token);
      throw new bullmq.DelayedError();
    });
    const done = ended(worker);
    await queue.add('pay', {});
    await done;
    const codes = bench.processed.map(({ status }) => status.code);
    assert.deepEqual(codes, [SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
  });

  it('reports a job that has ended in its context', async () => {
    const bench = make();
    const queue = bench.queue();
    const heard: [unknown, unknown][] = [];
    const worker = bench.worker(queue, async (job: Job) => {
      if (job.name === 'bad') throw new Error('bad');
    });
    worker.on('completed', (job) => heard.push([job.name, activeSpan()]));
    worker.on('failed', (job) => heard.push([job?.name, activeSpan()]));
    const done = ended(worker);
    const failed = ended(worker, 1, 'failed');
    await Promise.all([queue.add('good', {}), queue.add('bad', {})]);
    await Promise.all([done, failed]);
    const spans = bench.processed.map((span): [unknown, unknown] => [
      span.attributes['bullmq.job.name'],
      span.spanContext().spanId,
    ]);
    assert.equal(heard.length, 2);
    assert.deepEqual(Object.fromEntries(heard), Object.fromEntries(spans));
  });

  it('has a link to the caller of a scheduler for each of its jobs', async () => {
    const bench = make({ consumerSpan: 'child' });
    const queue = bench.queue();
    const worker = bench.worker(queue, () => undefined);
    const done = ended(worker, 2);
    const every = { every: 50 };
    // Older versions repeat what is added.
    if (queue.upsertJobScheduler) {
      await queue.upsertJobScheduler('tick', every, { name: 'tick', data: {} });
    } else await queue.add('tick', {}, { repeat: every } as object);
    await done;
    await worker.close();
    const send = bench.sent[0]?.spanContext().spanId;
    assert.equal(bench.sent.length, 1);
    assert.ok(bench.processed.length >= 2);
    for (const span of bench.processed) {
      assert.equal(span.parentSpanContext, undefined);
      assert.deepEqual(linkedTo(span), [send]);
    }
  });

  for (const [form, metadata] of Object.entries({
    'no JSON': 'hello',
    'no context': '{"traceparent":"hello"}',
    null: 'null',
    'a number': 5,
    'a list': '["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]',
    'a hundred thousand characters': `{"traceparent":"${'x'.repeat(1e5)}"}`,
    'a prototype': '{"__proto__":{"traceparent":"x"}}',
  })) {
    it(`runs a job whose context is ${form}`, async () => {
      const bench = make({ consumerSpan: 'child' });
      const queue = bench.queue();
      const worker = bench.worker(queue, (job: Job) => job.data);
      const done = ended(worker);
      const job = await queue.add('a', { n: 1 }, { telemetry: { metadata: metadata as string } });
      await done;
      const [processed] = bench.processed;
      assert.deepEqual([processed?.parentSpanContext, processed?.links], [undefined, []]);
      assert.deepEqual((await queue.getJob(job.id ?? ''))?.returnvalue, { n: 1 });
    });
  }

  it('makes no span while it waits', async () => {
    const bench = make();
    const queue = bench.queue();
    const worker = bench.worker(queue, () => undefined, { drainDelay: 0.05, stalledInterval: 50 });
    await worker.waitUntilReady();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(bench.telemetry.spans(), []);
  });
});
