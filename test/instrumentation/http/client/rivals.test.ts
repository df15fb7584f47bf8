import assert from 'node:assert/strict';

import { fixture, runNode } from '../../../support/run-node.ts';

interface Output {
  scopes: string[];
  sent: string[][];
  heard: string[][];
}

/** What one line each says, once. */
const HTTP =
  /spans of outgoing HTTP requests are created by your @opentelemetry\/instrumentation-http/g;
const UNDICI = /spans of undici are created by your @opentelemetry\/instrumentation-undici/g;

describe('outgoing requests beside the official instrumentations', function () {
  this.timeout(120_000);

  async function run(way: string): Promise<Output & { stderr: string }> {
    const { stdout, stderr, code } = await runNode([fixture('http-client-rivals.cjs')], {
      env: { WAY: way, OTEL_TRACES_EXPORTER: 'none', OTEL_TRACES_SAMPLER: 'always_on' },
    });
    assert.equal(code, 0, stderr);
    return { ...(JSON.parse(stdout) as Output), stderr };
  }

  for (const way of ['given', 'clewFirst', 'clewSecond']) {
    it(`leaves the spans to them, one for each request (${way}), and reports it once`, async () => {
      const { scopes, sent, heard, stderr } = await run(way);
      assert.deepEqual(scopes, [
        '@opentelemetry/instrumentation-http',
        '@opentelemetry/instrumentation-http',
        '@opentelemetry/instrumentation-undici',
        '@opentelemetry/instrumentation-undici',
      ]);
      assert.deepEqual(heard, sent);
      assert.equal(stderr.match(HTTP)?.length, 1, stderr);
      assert.equal(stderr.match(UNDICI)?.length, 1, stderr);
      assert.doesNotMatch(stderr, /instrumented twice/);
    });
  }

  it('records them where there is no other', async () => {
    const { scopes, sent, heard } = await run('alone');
    assert.deepEqual(scopes, ['clew/http', 'clew/http', 'clew/undici', 'clew/undici']);
    assert.deepEqual(heard, sent);
  });
});
