import assert from 'node:assert/strict';

import { OtlpReceiver, type ReceivedSpan } from '../../../support/otlp-receiver.ts';
import { fixture, REGISTER_URL, runNode } from '../../../support/run-node.ts';
import { requireService } from '../../../support/services.ts';

const NAMES = ['one', 'three', 'two'];

describe('An application with BullMQ under the preload', function () {
  // Each process of it starts with the preload.
  this.timeout(120_000);
  let redis: string;
  let receiver: OtlpReceiver;

  before(async function () {
    redis = await requireService(this, 'redis');
  });
  beforeEach(async () => {
    receiver = await new OtlpReceiver().listen();
  });
  afterEach(() => receiver.close());

  const run = async (
    application: string,
    sandbox: string[] = [],
    env: Record<string, string> = {},
  ): Promise<ReceivedSpan[]> => {
    const args = ['--import', REGISTER_URL, fixture(`messaging/${application}`), ...sandbox];
    const { code, stdout, stderr } = await runNode(args, {
      env: { REDIS_URL: redis, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
    });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.deepEqual(
      JSON.parse(stdout),
      NAMES.map((of) => ({ of, keys: [] })),
    );
    return receiver.spans;
  };

  const only = (spans: ReceivedSpan[], isMeant: (span: ReceivedSpan) => boolean): ReceivedSpan => {
    const [found, ...others] = spans.filter(isMeant);
    assert.ok(found && others.length === 0, spans.map(({ name }) => name).join());
    return found;
  };

  for (const [title, application, sandbox] of [
    ['a function works: ES module', 'bullmq.mjs', []],
    ['a function works: CommonJS', 'bullmq.cjs', []],
    ['a process works', 'bullmq.mjs', ['process']],
    ['a thread works', 'bullmq.cjs', ['thread']],
    ['a process of Bull 4 works', 'bull.cjs', ['process']],
  ] as const) {
    it(`has a trace of each request where ${title}`, async () => {
      const env = { CLEW_CONSUMER_SPAN: 'bullmq=child,bull=child' };
      const spans = await run(application, [...sandbox], env);
      for (const name of NAMES) {
        const request = only(spans, (span) => span.name === name);
        const below = (parent: ReceivedSpan, start: string): ReceivedSpan =>
          only(spans, (span) => span.parentSpanId === parent.spanId && span.name.startsWith(start));
        const send = below(request, 'send ');
        // The client's own span, which is what the queue does with Redis.
        assert.equal(below(send, 'evalsha ').scope.name, 'clew/ioredis');
        const processed = below(send, 'process ');
        const work = below(processed, `work on ${name}`);
        assert.equal(work.traceId, request.traceId);
      }
      const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
      assert.deepEqual(roots.map(({ name }) => name).sort(), NAMES);
    });
  }

  it('leaves a worker to bullmq-otel, and nothing else', async () => {
    const spans = await run('bullmq.cjs', [], { TELEMETRY: 'bullmq-otel' });
    for (const name of NAMES) {
      const request = only(spans, (span) => span.name === name);
      const send = only(spans, (span) => span.parentSpanId === request.spanId);
      assert.equal(send.scope.name, 'clew/bullmq');
      const processed = only(
        spans,
        (span) => span.parentSpanId === send.spanId && span.name.startsWith('process '),
      );
      assert.equal(processed.scope.name, 'bullmq');
    }
  });

  it('links by default', async () => {
    const spans = await run('bullmq.mjs');
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
    assert.equal(roots.length, 6);
    for (const root of roots.filter(({ name }) => name.startsWith('process '))) {
      const [link] = root.links ?? [];
      const send = only(spans, ({ spanId }) => spanId === link?.spanId);
      assert.match(send.name, /^send /);
    }
  });
});
