import assert from 'node:assert/strict';

import { OtlpReceiver, type ReceivedSpan } from '../../../support/otlp-receiver.ts';

import { fixture, REGISTER_URL, runNode } from '../../../support/run-node.ts';
import { requireService } from '../../../support/services.ts';

/** Longer than the five seconds after which a worker of BullMQ gives up blocking by default. */
const IDLE_MILLIS = 6500;

/** Leaves the client's own spans alone. */
const CLIENT_ALONE = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'bullmq' };

describe('An idle BullMQ worker', function () {
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

  const run = async (bullmq: string, env: Record<string, string> = {}): Promise<ReceivedSpan[]> => {
    const args = ['--import', REGISTER_URL, fixture('bullmq/worker.cjs')];
    const { code, stderr } = await runNode(args, {
      env: {
        BULLMQ: bullmq,
        REDIS_URL: redis,
        IDLE_MILLIS: String(IDLE_MILLIS),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        ...env,
      },
    });
    assert.equal(code, 0, stderr);
    return receiver.spans;
  };

  for (const bullmq of ['bullmq-5', 'bullmq']) {
    it(`makes no span, and its jobs have theirs: ${bullmq}`, async () => {
      const spans = await run(bullmq, CLIENT_ALONE);
      const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
      assert.deepEqual(roots.map(({ name }) => name).sort(), ['GET', 'process']);
      const below = (root: string): string[] => {
        const id = roots.find(({ name }) => name === root)?.spanId;
        return spans
          .filter(({ parentSpanId }) => parentSpanId === id)
          .map(({ name }) => name)
          .sort();
      };
      // Both by the names that BullMQ has for its scripts.
      assert.deepEqual(below('GET'), ['evalsha addStandardJob']);
      assert.deepEqual(below('process'), ['evalsha updateProgress']);
      assert.equal(spans.length, 4);
    });
  }

  it('makes no span beside those of its jobs, which are linked to their producers', async () => {
    const spans = await run('bullmq', { IDLE_MILLIS: '1200' });
    const named = (start: string): ReceivedSpan => {
      const [found, ...others] = spans.filter(({ name }) => name.startsWith(start));
      assert.ok(found && others.length === 0, spans.map(({ name }) => name).join());
      return found;
    };
    const [request, send, processed] = ['GET', 'send ', 'process clew-'].map(named);
    assert.equal(send?.parentSpanId, request?.spanId);
    assert.equal(named('evalsha addStandardJob').parentSpanId, send?.spanId);
    assert.equal(processed?.parentSpanId, undefined);
    assert.equal(processed?.links?.[0]?.spanId, send?.spanId);
    const own = spans.find(({ name }) => name === 'process');
    assert.equal(own?.parentSpanId, processed?.spanId);
    assert.equal(named('evalsha updateProgress').parentSpanId, own?.spanId);
    assert.equal(spans.length, 6);
  });

  it('makes none over node-redis, and its jobs have theirs', async () => {
    const spans = await run('bullmq', { CLIENT: 'redis', ...CLIENT_ALONE });
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
    assert.deepEqual(roots.map(({ name }) => name).sort(), ['GET', 'process']);
    const scopes = new Set(spans.map(({ scope }) => scope.name));
    assert.ok(scopes.has('clew/redis'), [...scopes].join());
  });

  it('makes its traces over node-redis where CLEW_REQUIRE_PARENT asks for it', async () => {
    const env = { CLIENT: 'redis', CLEW_REQUIRE_PARENT: 'ioredis', IDLE_MILLIS: '1200' };
    const spans = await run('bullmq', env);
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
    assert.ok(roots.some(({ scope }) => scope.name === 'clew/redis'));
  });

  it('leaves the application’s own client of node-redis as it is', async () => {
    const spans = await run('bullmq', { CLIENT: 'redis', OWN: 'true', IDLE_MILLIS: '1200' });
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
    const names = roots.map(({ name }) => name.replace(/ .*/, '')).sort();
    assert.deepEqual(names, ['GET', 'GET', 'process']);
  });

  it('makes its traces where CLEW_REQUIRE_PARENT asks for it, and never by a digest', async () => {
    const spans = await run('bullmq', { CLEW_REQUIRE_PARENT: 'pg', IDLE_MILLIS: '1200' });
    const roots = spans.filter(({ parentSpanId, scope }) => {
      return !parentSpanId && scope.name === 'clew/ioredis';
    });
    const names = new Set(roots.map(({ name }) => name));
    assert.ok(names.has('evalsha moveToActive'), [...names].join());
    assert.ok(names.has('evalsha moveStalledJobsToWait'), [...names].join());
    for (const { name } of spans) assert.doesNotMatch(name, /[0-9a-f]{40}|^evalsha \d/);
  });
});
