import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

import { context, createContextKey, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import {
  serverRequestOf,
  setHttpRoute,
} from '../../../../src/instrumentation/http/server/server-request.ts';
import { makeCertificates } from '../../../export/support/certificates.ts';
import { noteSkipped } from '../../../support/services.ts';
import { activePath, setUp, until, type Setup } from './support.ts';

const STEP = createContextKey('step');

describe('spans of HTTP/2 servers', () => {
  let setup: Setup;
  beforeEach(() => (setup = setUp()));
  afterEach(() => setup.stop());

  const serving = async (
    server: http2.Http2Server,
    use: (client: http2.ClientHttp2Session, port: number) => Promise<void>,
    ca?: string,
  ): Promise<void> => {
    const scheme = ca === undefined ? 'http' : 'https';
    server.on('sessionError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = http2.connect(`${scheme}://127.0.0.1:${port}`, ca === undefined ? {} : { ca });
    client.on('error', () => undefined);
    try {
      await use(client, port);
    } finally {
      client.destroy();
      server.close();
    }
  };

  const fetchText = async (
    client: http2.ClientHttp2Session,
    headers: http2.OutgoingHttpHeaders,
    body?: string,
  ): Promise<string> => {
    const stream = client.request(headers);
    stream.setEncoding('utf8');
    stream.end(body);
    let text = '';
    for await (const part of stream) text += part as string;
    return text;
  };

  const summary = ({ name, attributes, status }: ReadableSpan): unknown[] => [
    name,
    attributes['url.path'],
    attributes['http.response.status_code'],
    attributes['error.type'],
    status.code,
  ];

  it('have what the conventions ask for, of the compatibility API', async () => {
    const server = http2.createServer((request, response) => {
      assert.equal(activePath(), '/users/1');
      assert.equal(setHttpRoute(request, '/users/:id'), true);
      assert.equal(serverRequestOf(response), serverRequestOf(request.stream));
      response.setHeader('content-length', 5);
      response.end('hello');
    });
    await serving(server, async (client, port) => {
      const text = await fetchText(client, { ':path': '/users/1?a=b', 'user-agent': 'test/1' });
      assert.equal(text, 'hello');
      const span = await setup.request();
      assert.deepEqual(summary(span), ['GET /users/:id', '/users/1', 200, undefined, 0]);
      const peerPort = span.attributes['network.peer.port'];
      assert.deepEqual(span.attributes, {
        'http.request.method': 'GET',
        'http.route': '/users/:id',
        'url.path': '/users/1',
        'url.query': 'a=b',
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        'server.port': port,
        'client.address': '127.0.0.1',
        'network.peer.address': '127.0.0.1',
        'network.peer.port': peerPort,
        'network.protocol.version': '2',
        'user_agent.original': 'test/1',
        'http.response.status_code': 200,
        'http.response.body.size': 5,
      });
    });
  });

  it('are made of streams, whose listeners keep their contexts', async () => {
    const seen: unknown[] = [];
    const server = http2.createServer();
    server.on('stream', (stream, headers) => {
      const path = headers[':path'];
      const note = (event: string): void =>
        void seen.push([event, path, activePath(), context.active().getValue(STEP)]);
      context.with(context.active().setValue(STEP, path), () => {
        stream.on('data', () => note('data'));
        stream.on('end', () => {
          note('end');
          stream.respond({ ':status': 201 });
          stream.end('done');
        });
        stream.on('close', () => note('close'));
      });
    });
    await serving(server, async (client) => {
      const paths = ['/a', '/b', '/c'];
      await Promise.all(
        paths.map((path) => fetchText(client, { ':path': path, ':method': 'POST' }, 'body')),
      );
      const spans = await setup.requests(3);
      assert.deepEqual(
        spans.map((span) => summary(span)).toSorted((a, b) => String(a).localeCompare(String(b))),
        paths.map((path) => ['POST', path, 201, undefined, 0]),
      );
    });
    assert.equal(seen.length, 9, JSON.stringify(seen));
    for (const [event, path, active, step] of seen as string[][]) {
      assert.deepEqual([active, step], [path, path], event);
    }
  });

  it('are those of requests whose body is read in a context of the application', async () => {
    const seen: unknown[] = [];
    const server = http2.createServer((request, response) => {
      context.with(context.active().setValue(STEP, 'inner'), () => {
        const note = (): void => void seen.push([activePath(), context.active().getValue(STEP)]);
        request.on('data', note);
        request.on('end', () => {
          note();
          response.end('done', note);
        });
        response.on('finish', note).on('close', note);
      });
    });
    await serving(server, async (client) => {
      await fetchText(client, { ':path': '/body', ':method': 'POST' }, 'body');
      await setup.requests(1);
    });
    assert.ok(seen.length >= 4, String(seen.length));
    for (const each of seen) assert.deepEqual(each, ['/body', 'inner']);
  });

  it('record where the client went away, and where the server gave up', async () => {
    const server = http2.createServer();
    let begun = 0;
    server.on('stream', (stream, headers) => {
      begun++;
      stream.on('error', () => undefined);
      if (headers[':path'] === '/given-up') stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    });
    await serving(server, async (client) => {
      const stream = client.request({ ':path': '/cancelled' });
      stream.on('error', () => undefined);
      await until(
        () => begun === 1,
        () => 'the stream',
      );
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await setup.requests(1);
      const second = client.request({ ':path': '/given-up' });
      second.on('error', () => undefined);
      await setup.requests(2);
      const third = client.request({ ':path': '/lost' });
      third.on('error', () => undefined);
      await until(
        () => begun === 3,
        () => 'the third stream',
      );
      client.destroy();
      const spans = await setup.requests(3);
      assert.deepEqual(
        spans.map((span) => summary(span).slice(1)),
        [
          ['/cancelled', undefined, 'aborted', SpanStatusCode.ERROR],
          ['/given-up', undefined, 'destroyed', SpanStatusCode.ERROR],
          ['/lost', undefined, 'aborted', SpanStatusCode.ERROR],
        ],
      );
    });
  });

  it('end with the head of the response where the request is for a tunnel', async () => {
    const server = http2.createServer();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.on('error', () => undefined);
    });
    await serving(server, async (client) => {
      const stream = client.request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
      stream.on('error', () => undefined);
      await once(stream, 'response');
      const span = await setup.request();
      assert.deepEqual(summary(span), ['CONNECT', undefined, 200, undefined, 0]);
      stream.close();
    });
  });

  it('are made once of requests of either protocol, over TLS', async function () {
    const certificates = makeCertificates();
    if (certificates === undefined) {
      noteSkipped('HTTP/2 over TLS: no openssl on this machine to make certificates');
      this.skip();
    }
    const { ca, server: pair } = certificates;
    const server = http2.createSecureServer({ ...pair, allowHTTP1: true }, (request, response) => {
      assert.equal(activePath(), request.url);
      response.end('done');
    });
    await serving(
      server,
      async (client, port) => {
        assert.equal(await fetchText(client, { ':path': '/two' }), 'done');
        const request = httpsRequest({
          host: '127.0.0.1',
          port,
          path: '/one',
          ca,
          agent: false,
        }).end();
        const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
        response.resume();
        const spans = await setup.requests(2);
        assert.deepEqual(
          spans.map(({ attributes }) => [
            attributes['url.path'],
            attributes['network.protocol.version'],
            attributes['url.scheme'],
          ]),
          [
            ['/two', '2', 'https'],
            ['/one', '1.1', 'https'],
          ],
        );
      },
      ca,
    );
  });

  it('have headers and a `Server-Timing` where that is asked for', async () => {
    setup.stop();
    setup = setUp({ serverTiming: true, requestHeaders: ['x-in'], responseHeaders: ['x-out'] });
    const server = http2.createServer((_request, response) => {
      response.setHeader('x-out', '2');
      response.end();
    });
    await serving(server, async (client) => {
      const stream = client.request({ ':path': '/', 'x-in': '1' }).end();
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      stream.resume();
      const span = await setup.request();
      const { traceId, spanId } = span.spanContext();
      assert.equal(headers['server-timing'], `traceparent;desc="00-${traceId}-${spanId}-01"`);
      assert.deepEqual(span.attributes['http.request.header.x-in'], ['1']);
      assert.deepEqual(span.attributes['http.response.header.x-out'], ['2']);
    });
  });
});
