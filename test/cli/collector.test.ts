import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { probeCollector } from '../../src/cli/view/collector.ts';
import { runNode } from '../support/run-node.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('a collector that may not answer', function () {
  this.timeout(60_000);
  /** Answers below `/other`, and is silent otherwise. */
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/other')) response.writeHead(404).end();
  });
  let origin: string;

  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it('is probed, and the result is reported in a few words', async () => {
    const urls = [
      `${origin}/v1/traces`,
      `${origin}/other/v1/traces`,
      'http://127.0.0.1:9/v1/traces',
    ];
    const reasons = await Promise.all(urls.map((url) => probeCollector(url)));
    assert.deepEqual(reasons.slice(0, 2), ['no answer in 2 s', 'it answers with HTTP 404']);
    assert.equal(typeof reasons[2], 'string');
    const stopped = await probeCollector(`${origin}/v1/traces`, AbortSignal.abort());
    assert.equal(typeof stopped, 'string');
  });

  it('does not end `clew run` by its silence', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: origin };
    const program = ['--input-type=module', '-e', 'setTimeout(() => process.exit(3), 5000)'];
    const { code, stderr } = await runNode([MAIN, 'run', ...program], { env });
    assert.match(stderr, /clew: no collector answers at \S+ \(no answer in 2 s\)/);
    assert.equal(code, 3, stderr);
  });
});
