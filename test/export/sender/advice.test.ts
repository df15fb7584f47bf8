import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import type { TlsOptions } from 'node:tls';

import { HttpTransport, type Target } from '../../../src/export/sender/http-transport.ts';
import type { Outcome } from '../../../src/export/sender/outcome.ts';
import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { startReceiver, type OtlpReceiver } from '../../support/otlp-receiver.ts';
import { skipSuite } from '../../support/services.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { makeSlice, makeSpan } from '../support/spans.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const CERTIFICATE = 'OTEL_EXPORTER_OTLP_CERTIFICATE';
const CLIENT = 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE';

type Failed = Extract<Outcome, { kind: 'unavailable' }>;

/** What became of one request to `url`. */
async function post(url: string, target: Partial<Target> = {}): Promise<Outcome> {
  const defaults = { protocol: 'http/protobuf', compression: 'none', headers: {} } as const;
  const transport = new HttpTransport({ url, ...defaults, timeoutMillis: 5000, ...target }, 1);
  try {
    return await transport.post(buildBody([makeSlice([makeSpan()])]));
  } finally {
    transport.close();
  }
}

/** The spans are kept, and the line says what answered and names `variable` and no other. */
function assertKept(outcome: Outcome, reason: RegExp, variable: string): void {
  assert.equal(outcome.kind, 'unavailable', JSON.stringify(outcome));
  const failed = outcome;
  assert.match(failed.reason, reason);
  const named = failed.advice.match(/OTEL_EXPORTER_OTLP_[A-Z_]+/g) ?? [];
  assert.equal(named[0] ?? '', variable, failed.advice);
}

describe('what a collector answers', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(server: Server): Promise<string> {
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function answering(onRequest: RequestListener): Promise<Outcome> {
    const address = await listen(createHttpServer(onRequest));
    return post(`http://${address}/v1/traces`);
  }

  it('names the port of OTLP over HTTP where nothing listens at that of gRPC', async () => {
    const outcome = await post('http://127.0.0.1:4317/v1/traces');
    assert.equal(outcome.kind, 'unavailable');
    assert.match(outcome.advice, /port 4318; port 4317 is for gRPC/);
  });

  for (const [title, headers, body] of [
    ['a web page', { 'content-type': 'text/html; charset=utf-8' }, '<html>hello</html>'],
    ['a web page without a type', {}, '\n<!DOCTYPE html><title>Sign in</title>'],
  ] as const) {
    it(`keeps the spans when ${title} answers 200`, async () => {
      const outcome = await answering((request, response) => {
        request.resume().on('end', () => response.writeHead(200, headers).end(body));
      });
      assertKept(outcome, /answered 200 with a web page/, ENDPOINT);
    });
  }

  for (const [type, body] of [
    ['application/x-protobuf', ''],
    ['application/json', '{}'],
    ['text/plain', 'ok'],
    [undefined, ''],
  ] as const) {
    it(`takes 200 for an acceptance with ${type ?? 'no type'} and ${body || 'no body'}`, async () => {
      const outcome = await answering((request, response) => {
        if (type) response.setHeader('content-type', type);
        request.resume().on('end', () => response.end(body));
      });
      assert.equal(outcome.kind, 'accepted');
    });
  }

  it('keeps the spans when a server for TLS answers 400 to plain HTTP', async () => {
    const outcome = await answering((request, response) => {
      request.resume();
      response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.\n');
    });
    assertKept(outcome, /expects TLS/, ENDPOINT);
  });

  it('recognises a port that speaks gRPC', async () => {
    const address = await listen(createHttp2Server());
    const outcome = await post(`http://${address}/v1/traces`);
    assertKept(outcome, /speaks gRPC/, '');
    assert.match((outcome as Failed).advice, /on port 4318; port 4317/);
  });

  it('recognises a port that speaks something else', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).end('-ERR unknown command\r\n');
    });
    assertKept(await post(`http://${await listen(server)}/`), /does not speak HTTP/, ENDPOINT);
  });

  it('recognises a port where nothing listens', async () => {
    assertKept(await post('http://127.0.0.1:9/'), /connection refused/, ENDPOINT);
  });

  it('asks about TLS and gRPC where the connection is cut without a word', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.destroy());
    });
    const outcome = await post(`http://${await listen(server)}/`);
    assertKept(outcome, /ECONNRESET/, ENDPOINT);
    assert.match((outcome as Failed).advice, /https:.*gRPC/);
  });

  it('distinguishes plain HTTP from TLS', async () => {
    const address = await listen(createHttpServer());
    assertKept(await post(`https://${address}/`), /does not speak TLS/, ENDPOINT);
  });

  describe('over TLS', () => {
    let made: Certificates;
    const receivers: OtlpReceiver[] = [];
    before(function () {
      const certificates = makeCertificates();
      if (!certificates) skipSuite(this, 'TLS: no openssl on this machine to make certificates');
      made = certificates;
    });
    afterEach(async () => {
      for (const receiver of receivers.splice(0)) await receiver.close();
    });

    async function over(
      server: TlsOptions,
      tls: Target['tls'] = { ca: made.ca },
    ): Promise<Outcome> {
      const receiver = await startReceiver({ tls: server });
      receivers.push(receiver);
      return post(`${receiver.url}/v1/traces`, tls && { tls });
    }

    it('recognises an unknown authority', async () => {
      assertKept(await over(made.server, {}), /unknown authority/, CERTIFICATE);
    });

    it('recognises a certificate that has expired', async () => {
      assertKept(await over(made.expired), /has expired/, '');
    });

    it('recognises a certificate that is for another host', async () => {
      assertKept(await over(made.stranger), /for another host/, ENDPOINT);
    });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`recognises a missing client certificate over ${version}`, async () => {
        const mutual = { ca: made.ca, requestCert: true, rejectUnauthorized: true };
        const versions = { minVersion: version, maxVersion: version };
        const outcome = await over({ ...made.server, ...mutual, ...versions });
        assertKept(outcome, /client certificate/, CLIENT);
      });
    }

    it('recognises a client certificate with the key of another', async () => {
      const { ca, client, server } = made;
      const outcome = await over(server, { ca, cert: client.cert, key: server.key });
      assertKept(outcome, /client certificate and key cannot be used/, CLIENT);
    });
  });
});
