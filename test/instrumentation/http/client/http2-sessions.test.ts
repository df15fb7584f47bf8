import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

import { asCaller, Bench, caller, inOrder } from './support.ts';

describe('outgoing requests of node:http2', () => {
  let bench: Bench;
  let server: http2.Http2Server;
  let session: ClientHttp2Session;
  let heard: string[][];
  let url: string;

  beforeEach(async () => {
    bench = new Bench();
    heard = [];
    server = http2.createServer();
    server.on('stream', (...args: unknown[]) => {
      const [stream, headers, , raw] = args as [
        http2.ServerHttp2Stream,
        http2.IncomingHttpHeaders,
        number,
        string[],
      ];
      heard.push(raw.filter((_, index) => raw[index - 1]?.toLowerCase() === 'traceparent'));
      stream.on('error', () => undefined);
      if (headers[':path'] === '/never') return;
      if (headers[':path'] === '/reset') {
        stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      stream.respond({ ':status': headers[':path'] === '/404' ? 404 : 200, 'x-answer': 'yes' });
      stream.end('hello');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    session = http2.connect(url);
    session.on('error', () => undefined);
  });

  afterEach(async () => {
    session.destroy();
    server.close();
    bench.stop();
  });

  async function read(stream: ClientHttp2Stream): Promise<string> {
    let body = '';
    stream.setEncoding('utf8').on('data', (chunk) => (body += String(chunk)));
    await once(stream, 'end');
    return body;
  }

  it('records a request by the conventions and sends its trace', async () => {
    const headers = Object.freeze({ ':path': '/a?sig=s3cret' });
    assert.equal(await asCaller('A', () => read(session.request(headers))), 'hello');
    const span = await bench.span();
    assert.equal(span.name, 'GET');
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'url.full': `${url}/a?sig=REDACTED`,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(url).port),
      'http.response.status_code': 200,
      'network.protocol.version': '2',
    });
    assert.equal(span.parentSpanContext?.spanId.slice(-2), '41');
    const { traceId, spanId } = span.spanContext();
    assert.deepEqual(heard, [[`00-${traceId}-${spanId}-01`]]);
  });

  it('replaces trace headers that the application copied', async () => {
    const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
    await read(session.request({ Traceparent: traceparent }));
    await bench.spans(1);
    assert.equal(heard[0]?.length, 1);
    assert.notEqual(heard[0]?.[0], traceparent);
  });

  it('takes headers as a list, where Node does', async function () {
    const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
    const headers = [':method', 'POST', ':path', '/list', 'traceparent', traceparent] as never;
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(headers);
    } catch (error) {
      process.stdout.write(`      headers as a list: not on this Node (${String(error)})\n`);
      this.skip();
    }
    await read(stream.end());
    const { name, attributes } = await bench.span();
    assert.equal(name, 'POST');
    assert.equal(attributes['url.full'], `${url}/list`);
    assert.equal(heard[0]?.length, 1);
    assert.notEqual(heard[0]?.[0], traceparent);
  });

  it('leaves it to the application which headers are sensitive', async function () {
    const sensitive: unknown[] = [];
    server.on('stream', (_stream: unknown, headers: object) =>
      sensitive.push(Reflect.get(headers, http2.sensitiveHeaders)),
    );
    const list = Object.assign([':path', '/', 'x-key', 's3cret'], {
      [http2.sensitiveHeaders]: ['x-key'],
    });
    const table = { 'x-key': 's3cret', [http2.sensitiveHeaders]: ['x-key'] };
    await read(session.request(table));
    try {
      await read(session.request(list as never));
    } catch (error) {
      process.stdout.write(`      headers as a list: not on this Node (${String(error)})\n`);
      assert.deepEqual(sensitive, [['x-key']]);
      this.skip();
    }
    await bench.spans(2);
    assert.deepEqual(sensitive, [['x-key'], ['x-key']]);
    assert.deepEqual(list.slice(), [':path', '/', 'x-key', 's3cret']);
  });

  it('keeps three callers apart, in every event', async () => {
    const seen: unknown[][] = [];
    await Promise.all(
      ['A', 'B', 'C'].map((who) =>
        asCaller(who, async () => {
          const stream = session.request({ ':path': `/${who}` });
          const events: unknown[] = [];
          for (const event of ['ready', 'response', 'data', 'end', 'close']) {
            stream.on(event, () => events.push(event, caller() === who));
          }
          await new Promise((resolve) => stream.on('close', resolve));
          seen.push(events.filter((each) => typeof each === 'boolean'));
          assert.deepEqual(events.includes(false), false, `${who}: ${events.join(' ')}`);
        }),
      ),
    );
    assert.equal(seen.length, 3);
    const parents = (await bench.spans(3)).map((span) => span.parentSpanContext?.spanId.slice(-2));
    assert.deepEqual(inOrder(parents), ['41', '42', '43']);
  });

  it('gives what ends a stream to its own caller', async () => {
    const seen: unknown[] = [];
    const closed: Promise<unknown>[] = [];
    for (const who of ['A', 'B']) {
      asCaller(who, () => {
        const stream = session.request({ ':path': '/never' });
        stream.on('error', () => seen.push(caller()));
        closed.push(
          new Promise((resolve) =>
            stream.on('close', () => {
              seen.push(caller());
              resolve(undefined);
            }),
          ),
        );
      });
    }
    await once(session, 'remoteSettings');
    asCaller('C', () => session.destroy(new Error('gone')));
    await Promise.all(closed);
    assert.deepEqual(inOrder(seen), ['A', 'A', 'B', 'B']);
    await bench.spans(2);
  });

  it('records a status that is an error, and a stream that is reset', async () => {
    await read(session.request({ ':path': '/404' }));
    const stream = session.request({ ':path': '/reset' });
    await once(stream, 'error');
    const [missing, reset] = await bench.spans(2);
    assert.equal(missing?.attributes['error.type'], '404');
    assert.equal(reset?.attributes['error.type'], 'ERR_HTTP2_STREAM_ERROR');
    assert.equal(reset?.status.code, SpanStatusCode.ERROR);
  });

  it('records what cannot be sent', async () => {
    session.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    try {
      await once(session.request({}), 'close');
    } catch {
      // Newer Nodes emit it, older ones throw it.
    }
    assert.equal((await bench.span()).attributes['error.type'], 'ERR_HTTP2_INVALID_SESSION');
  });
});
