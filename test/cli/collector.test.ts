import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { probeCollector } from '../../src/cli/view/collector.ts';
import { runNode } from '../support/run-node.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const CLI = fileURLToPath(new URL('../../package/cli.js', import.meta.url));
const PRELOAD = new URL('../../package/register.js', import.meta.url).href;

describe('a collector that may not answer', function () {
  this.timeout(120_000);
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

  const SERVES = `
    import { createServer } from 'node:http';
    const server = createServer((_, response) => response.end()).listen(0, async () => {
      await fetch('http://127.0.0.1:' + server.address().port);
      setTimeout(() => server.close(), 1000);
      server.closeAllConnections();
    });`;
  const absent = {
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  };
  const inline = ['--input-type=module', '-e', SERVES];

  it('is missed in one line of `clew run`, and in one without a word from that', async () => {
    const noisy = await runNode([CLI, 'run', ...inline], { env: absent });
    assert.equal(
      noisy.stderr.match(/no collector answers|No spans reach/g)?.length,
      1,
      noisy.stderr,
    );
    assert.match(noisy.stderr, /no collector answers at http:\/\/127\.0\.0\.1:9 .*--view shows/);
    const quiet = await runNode([CLI, 'run', '--quiet', ...inline], { env: absent });
    assert.equal(
      quiet.stderr.match(/no collector answers|No spans reach/g)?.length,
      1,
      quiet.stderr,
    );
  });

  it('is missed in one line where it accepts the connection and never answers', async () => {
    const env = {
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_EXPORTER_OTLP_ENDPOINT: origin,
      OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
    };
    const slow = ['--input-type=module', '-e', SERVES.replace('1000', '4500')];
    const { stderr } = await runNode([CLI, 'run', ...slow], { env });
    assert.deepEqual(
      stderr.match(/^clew: .*(?:no collector answers|No spans reach|no answer).*$/gm),
      [`clew: no collector answers at ${origin} (no answer in 2 s): --view shows the traces`],
      stderr,
    );
  });

  it('is reported by the application where it answers, and not when it gets spans', async () => {
    const moody = createServer((request, response) => {
      if (request.headers['content-type'] === 'application/json') response.end('{}');
    });
    await once(moody.listen(0, '127.0.0.1'), 'listening');
    const { port } = moody.address() as AddressInfo;
    try {
      const env = {
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      };
      const { stderr } = await runNode([CLI, 'run', ...inline], { env });
      assert.match(stderr, /the collector at \S+ answers/);
      assert.match(stderr, /No spans reach the collector at \S+ \(no answer within 500 ms\)/);
    } finally {
      moody.close();
      moody.closeAllConnections();
    }
  });

  it('is missed by the application where that sends to another one than `clew run` reports of', async () => {
    const program = ['--import', PRELOAD, ...inline];
    const from = (address: string): Promise<{ stderr: string }> =>
      runNode(program, { env: { ...absent, CLEW_COLLECTOR_REPORTED: address } });
    assert.doesNotMatch((await from('http://127.0.0.1:9/v1/traces')).stderr, /No spans reach/);
    const { stderr } = await from('http://127.0.0.1:19/v1/traces');
    assert.match(stderr, /No spans reach the collector at http:\/\/127\.0\.0\.1:9/);
  });
});
