import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RECORD_HEADER, signRecordHeader } from '../../src/tracer/recording/signed-header.ts';
import { isKind, JaegerQuery, type JaegerSpan } from '../support/jaeger-query.ts';
import { requireService } from '../support/services.ts';
import { Shop } from './shop.ts';

const SECRET = 'sixteen characters and more';

describe('a marked request of the demo in a real Jaeger', function () {
  this.timeout(120_000);
  let query: JaegerQuery;
  let folder: string;
  let traces: Map<string, JaegerSpan>[];

  before(async function () {
    const databaseUrl = await requireService(this, 'postgresql', { embedded: true });
    const url = new URL(await requireService(this, 'jaeger'));
    const otlpPort = url.searchParams.get('otlp') ?? '4318';
    query = new JaegerQuery(url.origin);
    folder = mkdtempSync(join(tmpdir(), 'clew-marked-'));
    const name = `marked-shop-${process.pid}`;
    const shop = await Shop.start(databaseUrl, `http://${url.hostname}:${otlpPort}`, {
      OTEL_SERVICE_NAME: name,
      CLEW_RECORD_SECRET: SECRET,
      CLEW_RECORD_FOLDER: folder,
      POOL_SIZE: '1',
    });
    const header = signRecordHeader({ secret: SECRET, method: 'POST', url: '/orders/1/1' });
    await Promise.all([
      shop.send('POST /orders/1/1'),
      shop.send('POST /orders/1/1', { [RECORD_HEADER]: header }),
    ]);
    await shop.stop();
    const ids = await query.waitForTraces(name, 2);
    traces = await Promise.all(ids.map((id) => query.waitForTrace(id, 5)));
  });

  after(() => folder && rmSync(folder, { recursive: true }));

  it('has async resources as spans under it, the other request none', () => {
    const sizes = traces.map((spans) => spans.size).sort((a, b) => a - b);
    // The request, BEGIN, UPDATE, INSERT, COMMIT; the wait for the pool, and the sum of all.
    assert.deepEqual(sizes, [5, 7]);
  });

  it('has what is known of its async resource on the span of each query', () => {
    const marked = traces.find((trace) => trace.size === 7);
    const queries = [...(marked?.values() ?? [])].filter((span) => isKind(span, 3, 'CLIENT'));
    assert.equal(queries.length, 4);
    for (const { attributes = [] } of queries) {
      const { value } = attributes.find(({ key }) => key === 'clew.async_resource.type') ?? {};
      assert.equal(value?.stringValue, 'PG_QUERY');
    }
  });

  it('has the wait for the only connection before its first query', () => {
    const spans = traces.flatMap((trace) => [...trace.values()]);
    const wait = spans.find(({ name }) => name === 'pool wait');
    const begin = spans.find(({ name, traceId }) => name === 'BEGIN' && traceId === wait?.traceId);
    assert.ok(wait && begin);
    assert.ok(BigInt(wait.endTimeUnixNano ?? 0) <= BigInt(begin.startTimeUnixNano ?? 0));
  });

  it('has every span under the right parent', () => {
    for (const spans of traces) {
      const [root, ...others] = [...spans.values()].filter((span) => !span.parentSpanId);
      assert.ok(root && isKind(root, 2, 'SERVER'));
      assert.equal(others.length, 0);
      for (const span of spans.values()) {
        if (span !== root) assert.equal(span.parentSpanId, root.spanId, span.name);
      }
    }
  });

  it('is warned of in nothing', async () => {
    for (const spans of traces) {
      const [first] = spans.values();
      assert.deepEqual(await query.warningsOf(first?.traceId ?? ''), []);
    }
  });
});
