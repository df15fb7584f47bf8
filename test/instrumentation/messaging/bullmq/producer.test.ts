import assert from 'node:assert/strict';

import { SpanKind } from '@opentelemetry/api';

import { inSpan } from '../spans.ts';
import { describeVersions } from './setup.ts';

/** The context in a job's options, whatever version put it there. */
const contextOf = (job: { opts: object } | undefined): unknown => {
  const { telemetry } = (job?.opts ?? {}) as { telemetry?: { metadata?: string } };
  return JSON.parse(telemetry?.metadata ?? '{}');
};
const traceparent = (span: { spanContext(): { traceId: string; spanId: string } }): object => {
  const { traceId, spanId } = span.spanContext();
  return { traceparent: `00-${traceId}-${spanId}-01` };
};

describeVersions('A producer', (make) => {
  it('has a span of its caller for a job that is added, which the job carries', async () => {
    const bench = make();
    const queue = bench.queue();
    const opts = Object.freeze({ attempts: 2 });
    const data = Object.freeze({ amount: 1 });
    const job = await inSpan('request', () => queue.add('pay', data, opts));
    const [send, request] = bench.telemetry.spans();
    assert.equal(send?.name, `send ${queue.name}`);
    assert.equal(send.kind, SpanKind.PRODUCER);
    assert.equal(send.parentSpanContext?.spanId, request?.spanContext().spanId);
    assert.deepEqual(send.attributes, {
      'messaging.system.name': 'bullmq',
      'messaging.system': 'bullmq',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': queue.name,
      'messaging.message.id': job.id,
      'server.address': bench.connection.host,
      'server.port': bench.connection.port,
      'bullmq.job.name': 'pay',
    });
    const stored = await queue.getJob(job.id ?? '');
    assert.deepEqual(stored?.data, { amount: 1 });
    assert.deepEqual(contextOf(stored), traceparent(send));
  });

  it('gives three callers at a time a span each', async () => {
    const bench = make();
    const queue = bench.queue();
    const names = ['one', 'two', 'three'];
    await Promise.all(names.map((name) => inSpan(name, () => queue.add(name, {}))));
    for (const name of names) {
      const request = bench.telemetry.spans().find((span) => span.name === name);
      const send = bench.sent.find(({ attributes }) => attributes['bullmq.job.name'] === name);
      assert.equal(send?.parentSpanContext?.spanId, request?.spanContext().spanId);
    }
    assert.equal(bench.sent.length, 3);
  });

  it('has one span for jobs that are added together, which all of them carry', async () => {
    const bench = make();
    const queue = bench.queue();
    const jobs = Object.freeze([
      Object.freeze({ name: 'a', data: { n: 1 } }),
      Object.freeze({ name: 'b', data: { n: 2 }, opts: Object.freeze({ attempts: 3 }) }),
    ]);
    const added = await queue.addBulk(jobs as never);
    const [send] = bench.sent;
    assert.equal(bench.sent.length, 1);
    assert.equal(send?.attributes['messaging.batch.message_count'], 2);
    for (const { id } of added) {
      const stored = await queue.getJob(id ?? '');
      assert.deepEqual(contextOf(stored), traceparent(send));
    }
    assert.equal(added[1]?.opts.attempts, 3);
  });

  it('has one span for a flow, which each job of the tree carries', async () => {
    const bench = make();
    const [orders, mails] = [bench.queue(), bench.queue()];
    const flow = Object.freeze({
      name: 'order',
      queueName: orders.name,
      data: { id: 1 },
      children: Object.freeze([
        Object.freeze({
          name: 'mail',
          queueName: mails.name,
          opts: Object.freeze({ attempts: 2 }),
        }),
        Object.freeze({ name: 'mail', queueName: mails.name }),
      ]),
    });
    const { job, children } = await bench.flows().add(flow as never);
    const [send] = bench.sent;
    assert.equal(send?.name, `send ${orders.name}`);
    assert.equal(send.attributes['messaging.batch.message_count'], 3);
    assert.equal(send.attributes['messaging.message.id'], job.id);
    const mail = await mails.getJob(children?.[0]?.job.id ?? '');
    assert.deepEqual(contextOf(mail), traceparent(send));
    assert.equal(mail?.opts.attempts, 2);
    assert.deepEqual(contextOf(await orders.getJob(job.id ?? '')), traceparent(send));
  });

  it('has one span for several flows', async () => {
    const bench = make();
    const queue = bench.queue();
    const flow = { name: 'a', queueName: queue.name };
    const nodes = await bench.flows().addBulk([flow, flow]);
    const [send] = bench.sent;
    assert.equal(bench.sent.length, 1);
    assert.equal(send?.attributes['messaging.batch.message_count'], 2);
    for (const { job } of nodes) {
      assert.deepEqual(contextOf(await queue.getJob(job.id ?? '')), traceparent(send));
    }
  });

  it('records a job that is refused, with the error that the caller gets', async () => {
    const bench = make();
    const queue = bench.queue();
    await assert.rejects(queue.add('pay', {}, { jobId: '0' }), /JobId cannot be '0'/);
    const { attributes, status, events } = bench.telemetry.onlySpan();
    assert.equal(attributes['error.type'], 'Error');
    assert.equal(status.code, 2);
    assert.equal(events[0]?.name, 'exception');
  });

  it('leaves a context alone that a job was given, and one that wants none', async () => {
    const bench = make();
    const queue = bench.queue();
    const metadata = '{"traceparent":"mine"}';
    const given = await queue.add('a', {}, { telemetry: { metadata } });
    const none = await queue.add('b', {}, { telemetry: { omitContext: true } });
    assert.equal(given.opts.telemetry?.metadata, metadata);
    assert.deepEqual(none.opts.telemetry, { omitContext: true });
  });

  it('puts nothing into a job where `propagate` is false', async () => {
    const bench = make({ propagate: false });
    const job = await bench.queue().add('a', {});
    assert.equal('telemetry' in job.opts, false);
    assert.equal(bench.sent.length, 1);
  });

  it('has no span for what `ignore` names, and its job carries the context of its caller', async () => {
    const bench = make({ ignore: ({ type }) => type === 'send' });
    const job = await inSpan('request', () => bench.queue().add('a', {}));
    assert.deepEqual(contextOf(job), traceparent(bench.telemetry.onlySpan()));
  });

  it('leaves everything to a telemetry of the application', async () => {
    const bench = make();
    const spans: string[] = [];
    const telemetry = {
      tracer: {
        startSpan: (name: string) => {
          spans.push(name);
          const nothing = (): void => undefined;
          return {
            setSpanOnContext: (context: unknown) => context,
            setAttribute: nothing,
            setAttributes: nothing,
            addEvent: nothing,
            recordException: nothing,
            end: nothing,
          };
        },
      },
      contextManager: {
        with: (_context: unknown, work: () => unknown) => work(),
        active: () => ({}),
        getMetadata: () => 'theirs',
        fromMetadata: () => ({}),
      },
    };
    const queue = bench.queue({ telemetry });
    const job = await queue.add('a', {});
    assert.deepEqual(bench.sent, []);
    // Versions before 5.14 have no telemetry of their own.
    if (spans.length > 0) assert.equal(job.opts.telemetry?.metadata, 'theirs');
  });

  it('throws at once, or rejects, what BullMQ throws at bad jobs', async () => {
    const bench = make();
    const queue = bench.queue();
    const flows = bench.flows();
    const bad: (() => unknown)[] = [
      () => queue.addBulk(undefined as never),
      () => queue.addBulk([null] as never),
      () => flows.add(undefined as never),
      () => flows.addBulk([null] as never),
    ];
    for (const call of bad) {
      await assert.rejects(
        async () => call(),
        (error: unknown) => error instanceof Error,
      );
    }
    assert.deepEqual(bench.telemetry.openSpans(), []);
  });
});
