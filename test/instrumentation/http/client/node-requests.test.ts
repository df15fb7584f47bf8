import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { ClientRequest, type IncomingMessage } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

import { asCaller, Bench, TestServer } from './support.ts';

async function read(request: ClientRequest): Promise<{ status: number; body: string }> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

describe('outgoing requests of node:http', () => {
  let bench: Bench;
  let server: TestServer;

  beforeEach(async () => {
    bench = new Bench();
    server = await TestServer.start();
  });

  afterEach(async () => {
    await server.stop();
    bench.stop();
  });

  const options = (): http.RequestOptions => ({ host: '127.0.0.1', port: server.port });

  it('records a request by the conventions and sends its trace', async () => {
    await asCaller('A', async () => {
      const { body } = await read(http.get(`${server.url}/a/b?c=d&sig=s3cret`));
      assert.equal(body, 'hello');
    });
    const span = await bench.span();
    assert.equal(span.name, 'GET');
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'url.full': `${server.url}/a/b?c=d&sig=REDACTED`,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': server.port,
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
    });
    assert.equal(span.status.code, SpanStatusCode.UNSET);
    assert.equal(span.instrumentationScope.name, 'clew/http');
    const { traceId, spanId } = span.spanContext();
    assert.equal(span.parentSpanContext?.spanId, '1111111111111141');
    assert.deepEqual(server.traceHeaders(), [[`00-${traceId}-${spanId}-01`]]);
  });

  for (const [name, send] of [
    ['request, whose end comes later', () => http.request(options()).end()],
    ['get with a callback', () => http.get(options(), () => undefined)],
    ['a constructor', () => new ClientRequest(options()).end()],
    [
      'headers in an array',
      () => http.get({ ...options(), headers: ['Host', `127.0.0.1:${server.port}`] as never }),
    ],
    ['Expect', () => http.request({ ...options(), headers: { expect: '100-continue' } }).end('x')],
    [
      'flushHeaders',
      () => {
        const request = http.request({ ...options(), method: 'POST' });
        request.flushHeaders();
        return request.end('x');
      },
    ],
    ['no agent', () => http.get({ ...options(), agent: false })],
    [
      'a connection of its own',
      () =>
        http.get({ ...options(), createConnection: (to) => net.connect(to as net.NetConnectOpts) }),
    ],
  ] as [string, () => ClientRequest][]) {
    it(`sends the trace once with ${name}`, async () => {
      await asCaller('A', () => read(send()));
      const span = await bench.span();
      const { traceId, spanId } = span.spanContext();
      assert.deepEqual(server.traceHeaders(), [[`00-${traceId}-${spanId}-01`]]);
      assert.equal(span.attributes['server.port'], server.port);
    });
  }

  it('replaces trace headers that the application copied', async () => {
    const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
    for (const headers of [
      { TraceParent: traceparent },
      ['Host', 'x', 'TraceParent', traceparent] as never,
    ]) {
      await read(http.get({ ...options(), headers }));
    }
    const spans = await bench.spans(2);
    assert.deepEqual(
      server.traceHeaders(),
      spans.map((span) => [`00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`]),
    );
  });

  it('writes to nothing that the application passed', async () => {
    const headers = Object.freeze({ a: '1' });
    const given = Object.freeze({ ...options(), headers });
    await read(http.get(given));
    await bench.span();
    assert.deepEqual(Object.keys(headers), ['a']);
  });

  it('names a method that is not known HTTP', async () => {
    await read(http.request({ ...options(), method: 'PURGE' }).end());
    const { name, attributes } = await bench.span();
    assert.equal(name, 'HTTP');
    assert.equal(attributes['http.request.method'], '_OTHER');
    assert.equal(attributes['http.request.method_original'], 'PURGE');
  });

  it('records a status that is an error', async () => {
    const failing = await TestServer.start((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    try {
      await read(http.get(failing.url));
    } finally {
      await failing.stop();
    }
    const { attributes, status } = await bench.span();
    assert.equal(attributes['http.response.status_code'], 404);
    assert.equal(attributes['error.type'], '404');
    assert.equal(status.code, SpanStatusCode.ERROR);
  });

  it('records why a connection failed', async () => {
    const request = http.get({ host: '127.0.0.1', port: 1 });
    await once(request, 'error');
    const { attributes, status, events } = await bench.span();
    assert.equal(attributes['error.type'], 'ECONNREFUSED');
    assert.equal(attributes['server.port'], 1);
    assert.equal(status.code, SpanStatusCode.ERROR);
    assert.equal(events[0]?.name, 'exception');
  });

  it('ends as the body was read, and not before', async () => {
    let finish: () => void = () => undefined;
    const slow = await TestServer.start((_, response) => {
      response.write('a');
      finish = () => response.end('b');
    });
    try {
      const request = http.get(slow.url);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await once(response, 'data');
      assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
      let atEnd: number | undefined;
      response.on('end', () => (atEnd = bench.telemetry.spans().length));
      finish();
      await once(response, 'close');
      assert.equal(atEnd, 0);
      assert.equal(bench.telemetry.spans().length, 1);
    } finally {
      await slow.stop();
    }
  });

  it('ends when the caller aborts before and after the response', async () => {
    const never = await TestServer.start((request, response) => {
      if (request.url === '/body') response.write('a');
    });
    try {
      const early = http.get(never.url);
      early.on('error', () => undefined);
      await once(early, 'finish');
      early.destroy();
      await new Promise((resolve) => early.on('close', resolve));
      const controller = new AbortController();
      const aborted = http.get(never.url, { signal: controller.signal });
      const failure = once(aborted, 'error');
      controller.abort();
      await failure;
      const late = http.get(`${never.url}/body`);
      const [response] = (await once(late, 'response')) as [IncomingMessage];
      response.destroy();
      await once(late, 'close');
    } finally {
      await never.stop();
    }
    const types = (await bench.spans(3)).map(({ attributes }) => attributes['error.type']);
    assert.deepEqual(types, ['ECONNRESET', 'ABORT_ERR', undefined]);
  });

  it('records a body that the server tears off', async () => {
    const torn = await TestServer.start((_, response) => {
      response.write('a');
      setTimeout(() => response.destroy(), 10);
    });
    try {
      const [response] = (await once(http.get(torn.url), 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'error');
    } finally {
      await torn.stop();
    }
    const { attributes } = await bench.span();
    assert.equal(attributes['http.response.status_code'], 200);
    assert.equal(attributes['error.type'], 'ECONNRESET');
  });

  it('ends as a connection is upgraded or tunnelled', async () => {
    const raw = net.createServer((socket) => {
      socket.once('data', (data) => {
        const status = String(data).startsWith('CONNECT') ? '200 OK' : '101 Switching Protocols';
        socket.write(`HTTP/1.1 ${status}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
      });
    });
    raw.listen(0, '127.0.0.1');
    await once(raw, 'listening');
    const { port } = raw.address() as net.AddressInfo;
    try {
      const headers = { connection: 'upgrade', upgrade: 'x' };
      const upgrading = http.get({ host: '127.0.0.1', port, headers });
      const [, socket] = (await once(upgrading, 'upgrade')) as [unknown, net.Socket];
      socket.destroy();
      const tunnelling = http.request({
        host: '127.0.0.1',
        port,
        method: 'CONNECT',
        path: 'a:443',
      });
      const [, tunnel] = (await once(tunnelling.end(), 'connect')) as [unknown, net.Socket];
      tunnel.destroy();
    } finally {
      raw.close();
    }
    const [upgrade, connect] = await bench.spans(2);
    assert.equal(upgrade?.attributes['http.response.status_code'], 101);
    assert.equal(connect?.name, 'CONNECT');
    assert.equal(connect?.attributes['url.full'], '//a:443');
    assert.equal(connect?.attributes['server.port'], port);
  });

  it('names the socket of a server on a path', async () => {
    const path = join(tmpdir(), `clew-${process.pid}.sock`);
    const local = http.createServer((_, response) => response.end());
    local.listen(path);
    await once(local, 'listening');
    try {
      await read(http.get({ socketPath: path, path: '/x' }));
    } finally {
      local.closeAllConnections();
      local.close();
    }
    const { attributes } = await bench.span();
    assert.equal(attributes['server.address'], path);
    assert.equal(attributes['server.port'], undefined);
    assert.equal(attributes['url.full'], 'http://localhost/x');
  });

  it('takes the port from the connection where the application named another host', async () => {
    await read(http.get({ ...options(), headers: { host: 'example.com' } }));
    const { attributes } = await bench.span();
    assert.equal(attributes['server.address'], '127.0.0.1');
    assert.equal(attributes['server.port'], server.port);
  });

  it('keeps three callers apart', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await Promise.all(
      ['A', 'B', 'C'].map((name) => asCaller(name, () => read(http.get({ ...options(), agent })))),
    );
    agent.destroy();
    const parents = (await bench.spans(3)).map((span) => span.parentSpanContext?.spanId.slice(-2));
    assert.deepEqual(parents, ['41', '42', '43']);
  });

  it('leaves Node as it was once it is disabled', async () => {
    const before = Object.getOwnPropertyNames(ClientRequest.prototype);
    bench.stop();
    assert.equal(Object.hasOwn(ClientRequest.prototype, 'emit'), false);
    assert.ok(before.includes('emit'));
    await read(http.get(server.url));
    assert.equal(bench.telemetry.spans().length, 0);
    assert.deepEqual(server.traceHeaders(), [[]]);
  });
});
