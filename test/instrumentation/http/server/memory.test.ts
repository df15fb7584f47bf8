import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { context, trace } from '@opentelemetry/api';

import { activeServerRequest } from '../../../../src/instrumentation/http/server/server-request.ts';
import { makeCertificates } from '../../../export/support/certificates.ts';
import { isCollected } from '../../../support/collected.ts';
import { get, RawClient, serving, setUp, type Setup } from './support.ts';

/** What a request leaves to be collected. */
class Left {
  readonly #references: [what: string, reference: WeakRef<object>][] = [];

  note(what: string, object: object | undefined): void {
    assert.ok(object, what);
    this.#references.push([what, new WeakRef(object)]);
  }

  /** What is still there once the collector has had its time. */
  async remaining(): Promise<string[]> {
    await isCollected(...this.#references.map(([, reference]) => reference));
    return this.#references.filter(([, reference]) => reference.deref()).map(([what]) => what);
  }
}

describe('a connection that is idle', () => {
  let setup: Setup;
  beforeEach(() => {
    assert.ok(globalThis.gc, 'run with --expose-gc');
    setup = setUp();
  });
  afterEach(() => setup?.stop());

  it('keeps nothing of the requests it has carried', async () => {
    const left = new Left();
    const server = createServer((request, response) => {
      left.note('context', context.active());
      left.note('span', trace.getActiveSpan());
      left.note('request', activeServerRequest());
      left.note('response', response);
      request.on('end', () => response.end(`${request.url}.`));
      request.on('data', () => undefined);
      response.on('finish', () => undefined);
    });
    await serving(server, async (port) => {
      const client = new RawClient(port);
      client.send(get('/1'));
      await client.receives('/1.');
      client.send(get('/2') + get('/3') + get('/4'));
      await client.receives('/4.');
      const body = ['POST /5 HTTP/1.1', 'Host: test', 'Content-Length: 4', '', 'body'];
      await client.send(...body).receives('/5.');
      await setup.requests(5);
      setup.reset();
      assert.deepEqual(await left.remaining(), []);
      assert.equal(client.socket.destroyed, false);
      client.close();
    });
  });

  it('of TLS keeps nothing of the requests it has carried', async function () {
    const certificates = makeCertificates();
    if (certificates === undefined) {
      process.stdout.write('      there is no openssl\n');
      this.skip();
    }
    const left = new Left();
    const server = https.createServer(certificates.server, (_request, response) => {
      left.note('context', context.active());
      left.note('span', trace.getActiveSpan());
      left.note('request', activeServerRequest());
      response.end('done');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const agent = new https.Agent({ keepAlive: true, ca: certificates.ca, maxSockets: 1 });
    for (const path of ['/1', '/2', '/3']) {
      const [response] = (await once(
        https.get({ host: '127.0.0.1', port, path, agent }),
        'response',
      )) as [IncomingMessage];
      await once(response.resume(), 'close');
    }
    await setup.requests(3);
    setup.reset();
    assert.deepEqual(await left.remaining(), []);
    assert.equal(Object.keys(agent.freeSockets).length, 1, 'no idle connection');
    agent.destroy();
    server.close();
  });

  it('of HTTP/2 keeps nothing of its streams', async () => {
    const left = new Left();
    const server = http2.createServer((_request, response) => {
      left.note('context', context.active());
      left.note('span', trace.getActiveSpan());
      left.note('request', activeServerRequest());
      response.end('done');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (const path of ['/1', '/2', '/3']) {
      const stream = client.request({ ':path': path }).end();
      stream.resume();
      await once(stream, 'close');
    }
    await setup.requests(3);
    setup.reset();
    assert.deepEqual(await left.remaining(), []);
    assert.equal(client.destroyed, false);
    client.destroy();
    server.close();
  });
});
