import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { makeCertificates, type Certificates } from '../../../export/support/certificates.ts';
import { asCaller, Bench, caller } from './support.ts';
import { isCollected } from '../../../support/collected.ts';

describe('outgoing requests of node:https', () => {
  let certificates: Certificates | undefined;
  let bench: Bench;
  let server: https.Server;
  let port: number;
  let agent: https.Agent;

  before(function () {
    certificates = makeCertificates();
    if (certificates) return;
    process.stdout.write('      there is no openssl\n');
    this.skip();
  });

  beforeEach(async () => {
    bench = new Bench();
    server = https.createServer(certificates!.server, (_, response) => response.end('hello'));
    context.with(ROOT_CONTEXT, () => server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    agent = new https.Agent({ keepAlive: true, ca: certificates!.ca });
  });

  afterEach(async () => {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    bench.stop();
  });

  function send(): Promise<unknown> {
    const request = https.get({ host: '127.0.0.1', port, path: '/a', agent });
    request.on('response', (response) => response.resume());
    return new Promise((resolve, reject) => {
      request.once('error', reject);
      // A listener that stays would hold what it resolves, and with it the context.
      request.once('close', () => {
        request.off('error', reject);
        resolve(caller());
      });
    });
  }

  it('are recorded with their scheme, each for its caller', async () => {
    for (const who of ['A', 'B', 'C']) assert.equal(await asCaller(who, send), who);
    const spans = await bench.spans(3);
    const parents = spans.map((span) => span.parentSpanContext?.spanId.slice(-2));
    assert.deepEqual(parents, ['41', '42', '43']);
    for (const { attributes } of spans) {
      assert.equal(attributes['url.full'], `https://127.0.0.1:${port}/a`);
      assert.equal(attributes['server.port'], port);
      assert.equal(attributes['http.response.status_code'], 200);
    }
  });

  it('are recorded where the certificate is not trusted', async () => {
    agent.destroy();
    agent = new https.Agent();
    await assert.rejects(send());
    assert.match(String((await bench.span()).attributes['error.type']), /CERT|SIGNATURE/);
  });

  it('leave nothing with an idle connection, which holds the request that opened it', async () => {
    const key = createContextKey('kept');
    const refs: WeakRef<object>[] = [];
    for (let turn = 0; turn < 3; turn++) {
      let value: object | undefined = { large: true };
      refs.push(new WeakRef(value));
      await context.with(ROOT_CONTEXT.setValue(key, value), send);
      value = undefined;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const areGone = await isCollected(...refs);
    assert.equal(Object.keys(agent.freeSockets).length, 1, 'no idle connection');
    assert.ok(areGone);
  });
});
