import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { toObject } from '../support/otlp-types.ts';
import { JaegerQuery } from '../support/jaeger-query.ts';
import { runNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const TRACING = { CLEW_TRACER: 'watch', CLEW_RESOURCE_SPANS: '1' };

describe('the demo with CLEW_TRACER=watch and CLEW_RESOURCE_SPANS=1', function () {
  this.timeout(120_000);
  let spans: ReceivedSpan[];

  before(async () => {
    const receiver = await new OtlpReceiver().listen();
    const env = {
      ...TRACING,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      DATABASE_URL: undefined,
      REDIS_URL: undefined,
    };
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    ({ spans } = receiver);
    await receiver.close();
  });

  const value = (span: ReceivedSpan, name: string): unknown =>
    span.attributes.find(({ key }) => key === name)?.value;
  const has = (span: ReceivedSpan, name: string): boolean => value(span, name) !== undefined;

  it('puts the split on every request and every database span', () => {
    const measured = spans.filter((span) => span.kind === 2 || has(span, 'db.system.name'));
    assert.ok(measured.length > 10);
    for (const span of measured) {
      for (const name of ['clew.run.ms', 'clew.wait.io.ms', 'clew.wait.loop.ms']) {
        assert.ok(has(span, name), `${span.name} has no ${name}`);
      }
    }
  });

  it('shows the async resources of each request under spans of its own trace', () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const requests = spans.filter((span) => span.kind === 2);
    const resources = spans.filter((span) => has(span, 'clew.async_resource.type'));
    assert.ok(resources.length > requests.length);
    for (const span of resources) {
      const parent = byId.get(span.parentSpanId ?? '');
      assert.equal(parent?.traceId, span.traceId, span.name);
    }
    for (const { traceId, name } of requests) {
      const ofTrace = resources.filter((span) => span.traceId === traceId);
      assert.ok(ofTrace.length < 100, `${name} has ${ofTrace.length}`);
      // Also of the last requests, which the end of the shop follows at once.
      const sums = spans.filter((one) => one.traceId === traceId && one.name === 'async resources');
      assert.equal(sums.length, 1);
    }
  });

  it('shows each query and its async resource in one span; names of the others are few', () => {
    const queries = spans.filter((span) => has(span, 'db.system.name'));
    assert.ok(queries.length > 10);
    for (const span of queries) {
      const { 'clew.async_resource.type': type } = toObject(span.attributes);
      assert.match(String(type), /^PG_(POOL_)?QUERY$/, span.name);
    }
    const others = spans.filter(
      (span) => has(span, 'clew.async_resource.type') && !queries.includes(span),
    );
    for (const { name } of others) assert.match(name, /^(pool wait|tcp connect|dns lookup|timer)$/);
  });

  it('shows who waited for one of the two connections of the pool', () => {
    const waits = spans.filter(({ name }) => name === 'pool wait');
    assert.ok(waits.length > 0);
    for (const wait of waits) {
      const queries = spans.filter(
        (span) => span.traceId === wait.traceId && has(span, 'db.system.name'),
      );
      assert.ok(queries.some((query) => query.endTimeUnixNano > wait.endTimeUnixNano));
    }
  });

  it('shows nothing of the export', () => {
    const names = new Set(spans.map((span) => span.name));
    for (const name of ['worker', 'clew.delivery', 'zlib', 'stream.write', 'PendingOperation'])
      assert.equal(names.has(name), false, name);
  });
});

describe('the demo with resource spans in a real Jaeger', function () {
  this.timeout(120_000);

  it('has every parent and no warning', async function () {
    const jaeger = new URL(await requireService(this, 'jaeger'));
    const receiverPort = jaeger.searchParams.get('otlp') ?? '4318';
    const env = {
      ...TRACING,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${jaeger.hostname}:${receiverPort}`,
      JAEGER_URL: jaeger.origin,
      DATABASE_URL: undefined,
      REDIS_URL: undefined,
    };
    const result = await runNode([CLI, 'demo', '--once'], { env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const traceIds = [...result.stdout.matchAll(/\/trace\/([0-9a-f]{32})/g)].map(
      ([, id]) => id ?? '',
    );
    assert.ok(traceIds.length > 0);
    const query = new JaegerQuery(jaeger.origin);
    for (const traceId of traceIds) {
      const spans = await query.waitForTrace(traceId, 3);
      for (const span of spans.values()) {
        if (span.parentSpanId) assert.ok(spans.has(span.parentSpanId), span.name);
      }
      assert.deepEqual(await query.warningsOf(traceId), []);
    }
  });
});
