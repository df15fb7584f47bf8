import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import Bull, { type Job } from 'bull';

import { MESSAGING } from '../../../../src/instrumentation/messaging/index.ts';
import {
  MessagingInstrumentation,
  type MessagingConfig,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { activeSpan, activeTrace, inSpan, linkedTo } from '../spans.ts';

// It has no types of its own.
const Bull40 = createRequire(import.meta.url)('bull-4.0') as typeof Bull;
const VERSIONS = { 'bull 4': Bull, 'bull 4.0': Bull40 };
let queues = 0;

for (const [version, Queue] of Object.entries(VERSIONS)) {
  describe(version, function () {
    this.timeout(120_000);
    let redis: { host: string; port: number };
    let telemetry: Telemetry;
    let queue: Bull.Queue;
    let undo: () => void;

    before(async function () {
      const { hostname: host, port } = new URL(await requireService(this, 'redis'));
      redis = { host, port: Number(port) };
    });
    const start = (config: MessagingConfig = {}): Bull.Queue => {
      telemetry = registerTelemetry();
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      undo = new MessagingInstrumentation(MESSAGING.bull, config).instrument(Queue);
      queue = new Queue(`clew-${process.pid}-${queues++}`, { redis });
      return queue;
    };
    afterEach(async () => {
      await queue.obliterate({ force: true });
      await queue.close(true);
      undo();
    });
    const spansOf = (start: string) =>
      telemetry.spans().filter(({ name }) => name.startsWith(start));
    const ended = (count = 1, event = 'completed'): Promise<void> =>
      new Promise((resolve) => {
        queue.on(event, () => --count === 0 && resolve());
      });

    it('has a span for a job that is added, and one for the job', async () => {
      start();
      const done = ended();
      void queue.process('pay', async (job: Job<{ n: number }>) => {
        return inSpan('query', async () => job.data.n + 1);
      });
      const data = Object.freeze({ n: 1 });
      const job = await inSpan('request', () =>
        queue.add('pay', data, Object.freeze({ attempts: 2 })),
      );
      await done;
      const [send] = spansOf('send');
      const [processed] = spansOf('process');
      const request = spansOf('request')[0];
      assert.equal(send?.name, `send ${queue.name}`);
      assert.equal(send.kind, SpanKind.PRODUCER);
      assert.equal(send.parentSpanContext?.spanId, request?.spanContext().spanId);
      const common = {
        'messaging.system.name': 'bull',
        'messaging.system': 'bull',
        'messaging.destination.name': queue.name,
        'messaging.message.id': String(job.id),
        'server.address': redis.host,
        'server.port': redis.port,
        'bullmq.job.name': 'pay',
      };
      assert.deepEqual(send.attributes, {
        ...common,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
      });
      assert.equal(processed?.name, `process ${queue.name}`);
      assert.equal(processed.kind, SpanKind.CONSUMER);
      assert.deepEqual(processed.attributes, {
        ...common,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'bullmq.job.attempts.made': 0,
      });
      assert.equal(processed.parentSpanContext, undefined);
      assert.deepEqual(linkedTo(processed), [send.spanContext().spanId]);
      const query = spansOf('query')[0];
      assert.equal(query?.parentSpanContext?.spanId, processed.spanContext().spanId);
      const stored = await queue.getJob(job.id);
      assert.deepEqual([stored?.data, stored?.returnvalue], [{ n: 1 }, 2]);
    });

    it('keeps three jobs at a time apart, of a function with a callback', async () => {
      start({ consumerSpan: 'child' });
      const done = ended(3);
      const seen = new Map<unknown, unknown>();
      void queue.process('*', 3, (job, finish) => {
        setTimeout(() => {
          seen.set(job.name, activeTrace());
          finish(null);
        }, 20);
      });
      const names = ['one', 'two', 'three'];
      await Promise.all(names.map((name) => inSpan(name, () => queue.add(name, {}))));
      await done;
      for (const name of names) {
        assert.equal(seen.get(name), spansOf(name)[0]?.spanContext().traceId);
      }
    });

    it('has a span for a job without a name, and one for jobs that are added together', async () => {
      start({ consumerSpan: 'child' });
      const done = ended(3);
      void queue.process(() => Promise.resolve());
      await queue.add({ n: 1 });
      await queue.addBulk(Object.freeze([Object.freeze({ data: 1 }), { data: 2 }]) as never);
      await done;
      const [single, bulk] = spansOf('send');
      assert.equal(single?.attributes['bullmq.job.name'], undefined);
      assert.equal(bulk?.attributes['messaging.batch.message_count'], 2);
      const parents = spansOf('process').map((span) => span.parentSpanContext?.spanId);
      const [one, two] = [single, bulk].map((span) => span?.spanContext().spanId);
      assert.deepEqual(new Set(parents), new Set([one, two]));
      assert.equal(parents.filter((parent) => parent === two).length, 2);
    });

    it('has a span for each attempt, and reports the end of the job in the context of the last', async () => {
      start();
      const heard: unknown[] = [];
      queue.on('failed', () => heard.push(activeSpan()));
      queue.on('completed', () => heard.push(activeSpan()));
      const done = ended();
      void queue.process(async ({ attemptsMade }) => {
        if (attemptsMade === 0) throw new RangeError('not yet');
      });
      await queue.add({}, { attempts: 2 });
      await done;
      const [first, second] = spansOf('process');
      assert.deepEqual(first?.status, { code: SpanStatusCode.ERROR, message: 'not yet' });
      assert.equal(first.attributes['error.type'], 'RangeError');
      assert.equal(second?.status.code, SpanStatusCode.UNSET);
      assert.deepEqual(
        heard,
        [first, second].map((span) => span.spanContext().spanId),
      );
    });

    it('links a delayed job and a repeated one where `consumerSpan` is child', async () => {
      start({ consumerSpan: 'child' });
      const done = ended(3);
      void queue.process(() => Promise.resolve());
      await queue.add({}, { delay: 20 });
      await queue.add({}, { repeat: { every: 50 } });
      await done;
      const sent = spansOf('send').map((span) => span.spanContext().spanId);
      for (const span of spansOf('process')) {
        assert.equal(span.parentSpanContext, undefined);
        assert.ok(sent.includes(linkedTo(span)[0] ?? ''));
      }
    });

    it('has a trace of its own where `consumerSpan` is root', async () => {
      start({ consumerSpan: 'root' });
      const done = ended();
      const ambient = trace.getTracer('app').startSpan('ambient');
      context.with(trace.setSpan(ROOT_CONTEXT, ambient), () => {
        void queue.process(() => Promise.resolve());
      });
      await queue.add({});
      await done;
      assert.equal(spansOf('process')[0]?.parentSpanContext, undefined);
      assert.equal(spansOf('process')[0]?.links.length, 1);
    });

    it('hands out the promise of the function, and no more once it is undone', async () => {
      start();
      const promise = Promise.resolve('mine');
      let given: unknown;
      queue.on('active', (_job, active) => (given = active));
      let done = ended();
      void queue.process(() => promise);
      await queue.add({});
      await done;
      assert.equal(given, promise);
      undo();
      telemetry.reset();
      done = ended();
      await queue.add({});
      await done;
      assert.deepEqual(telemetry.spans(), []);
    });
  });
}
