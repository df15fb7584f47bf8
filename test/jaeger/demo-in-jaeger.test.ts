import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { scenes } from '../../src/cli/demo/scenes.ts';
import { isKind, JaegerQuery, kinshipFaultsOf } from '../support/jaeger-query.ts';
import { runNode } from '../support/run-node.ts';
import { requireService } from '../support/services.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('the demo in a real Jaeger', function () {
  this.timeout(120_000);
  let jaeger: JaegerQuery;
  let traceIds: string[];

  before(async function () {
    const url = new URL(await requireService(this, 'jaeger'));
    // An instance of our own listens for OTLP at a port it tells in its URL.
    const otlpPort = url.searchParams.get('otlp') ?? '4318';
    const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    jaeger = new JaegerQuery(url.origin);
    const result = await runNode([CLI, 'demo', '--once'], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint ?? `http://${url.hostname}:${otlpPort}`,
        JAEGER_URL: url.origin,
        REDIS_URL: undefined,
      },
    });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    traceIds = [...result.stdout.matchAll(/\/trace\/([0-9a-f]{32})/g)].map(([, id]) => id ?? '');
  });

  it('has one trace for each request, with one SERVER root and no orphan', async () => {
    const requests = scenes.reduce((sum, scene) => sum + scene.requests.length, 0);
    assert.equal(traceIds.length, requests);
    for (const traceId of traceIds) {
      const spans = await jaeger.waitForTrace(traceId, 2);
      assert.deepEqual(kinshipFaultsOf(spans), [], traceId);
    }
  });

  it('shows each query as a CLIENT span under its request', async () => {
    for (const traceId of traceIds) {
      const spans = [...(await jaeger.waitForTrace(traceId, 2)).values()];
      const root = spans.find((span) => !span.parentSpanId);
      const queries = spans.filter((span) => isKind(span, 3, 'CLIENT'));
      assert.ok(queries.length > 0);
      for (const query of queries) assert.equal(query.parentSpanId, root?.spanId);
    }
  });

  it('warns of nothing', async () => {
    for (const traceId of traceIds) assert.deepEqual(await jaeger.warningsOf(traceId), []);
  });
});
