import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

import { cachedInstall } from '../../../support/user-cache.ts';
import { enableRules, RepairSpanProcessor } from '../../../../src/instrumentation/rules/index.ts';
import {
  sweepBodies,
  UNREAD_MILLIS,
} from '../../../../src/instrumentation/http/client/unread-bodies.ts';
import { asCaller, Bench, caller, inOrder, TestServer } from './support.ts';

// Each version has types of its own.
type Undici = any;

/** Each under its own name: that is how the rules find them. */
const versions = ['5.29.0', '6.29.1', '7.30.2', '8.12.4'].map((version) => ({
  version,
  load: (): Undici => {
    const name = `undici-${version.split('.')[0]}`;
    return createRequire(join(cachedInstall(name, [`undici@${version}`]), 'x.js'))('undici');
  },
}));

/** Undici 8 needs Node 22. */
const canLoad = (version: string): boolean =>
  !version.startsWith('8.') || Number(process.versions.node.split('.')[0]) >= 22;

const traceOf = (span: { spanContext(): { traceId: string; spanId: string } }): string => {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
};

describe('outgoing requests of fetch', () => {
  let bench: Bench;
  let server: TestServer;

  beforeEach(async () => {
    bench = new Bench();
    server = await TestServer.start((request, response) => {
      request.resume();
      if (request.url?.startsWith('/from')) response.writeHead(302, { location: '/to' }).end();
      else if (request.url === '/big') response.end(Buffer.alloc(4_000_000));
      else if (request.url === '/503') response.writeHead(503).end();
      else response.end('hello');
    });
  });

  afterEach(async () => {
    await server.stop();
    bench.stop();
  });

  it('records a request by the conventions and sends its trace', async () => {
    await asCaller('A', async () => {
      const response = await fetch(`${server.url}/a?sig=s3cret&b=c`);
      assert.equal(await response.text(), 'hello');
      assert.equal(caller(), 'A');
    });
    const span = await bench.span();
    assert.equal(span.name, 'GET');
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'url.full': `${server.url}/a?sig=REDACTED&b=c`,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': server.port,
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
    });
    assert.equal(span.instrumentationScope.name, 'clew/undici');
    assert.deepEqual(server.traceHeaders(), [[traceOf(span)]]);
  });

  it('records each request of a redirect, the second as sent again', async () => {
    await asCaller('A', async () => (await fetch(`${server.url}/from`)).text());
    const spans = await bench.spans(2);
    assert.deepEqual(
      spans.map(({ attributes }) => [
        attributes['url.full'],
        attributes['http.request.resend_count'],
      ]),
      [
        [`${server.url}/from`, undefined],
        [`${server.url}/to`, 1],
      ],
    );
    assert.deepEqual(
      server.traceHeaders(),
      spans.map((span) => [traceOf(span)]),
    );
    for (const span of spans) assert.equal(span.parentSpanContext?.spanId.slice(-2), '41');
  });

  it('counts what is sent again after it failed', async () => {
    await asCaller('A', async () => {
      for (let tries = 0; tries < 3; tries++) await (await fetch(`${server.url}/503`)).text();
      await (await fetch(`${server.url}/`)).text();
    });
    const counts = (await bench.spans(4)).map((s) => s.attributes['http.request.resend_count']);
    assert.deepEqual(counts, [undefined, 1, 2, undefined]);
  });

  it('replaces a trace header that the application copied', async () => {
    const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
    await (await fetch(server.url, { headers: { traceparent } })).text();
    assert.deepEqual(server.traceHeaders(), [[traceOf(await bench.span())]]);
  });

  it('records why it failed', async () => {
    await assert.rejects(fetch('http://127.0.0.1:2/'));
    await assert.rejects(fetch(server.url, { signal: AbortSignal.abort() }));
    const { attributes, status } = await bench.span();
    assert.equal(attributes['error.type'], 'ECONNREFUSED');
    assert.equal(status.code, SpanStatusCode.ERROR);
  });

  it('ends when the body is aborted', async () => {
    const slow = await TestServer.start((_, response) => response.write('a'));
    const controller = new AbortController();
    try {
      const response = await fetch(slow.url, { signal: controller.signal });
      assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
      controller.abort();
      await assert.rejects(response.text());
    } finally {
      await slow.stop();
    }
    const { attributes } = await bench.span();
    assert.equal(attributes['error.type'], 'AbortError');
  });

  it('ends a span whose body is not read, as of when it last went on', async () => {
    const response = await fetch(`${server.url}/big`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
    sweepBodies(performance.now() + UNREAD_MILLIS - 1000);
    assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
    sweepBodies(performance.now() + UNREAD_MILLIS + 1000);
    const { attributes, duration } = await bench.span();
    assert.equal(attributes['clew.http.response.body_abandoned'], true);
    assert.ok(duration[0] < 5);
    await response.body?.cancel();
  });
});

for (const { version, load } of versions.filter(({ version }) => canLoad(version))) {
  describe(`outgoing requests of undici ${version}`, () => {
    let bench: Bench;
    let server: TestServer;
    let undici: Undici;
    let fails = 0;

    let disableRules: () => void;

    before(function () {
      this.timeout(120_000);
      disableRules = enableRules();
      undici = load();
    });

    after(() => disableRules());

    beforeEach(async () => {
      bench = new Bench();
      server = await TestServer.start((request, response) => {
        request.resume();
        if (request.headers.upgrade) return;
        if (request.url === '/from') response.writeHead(302, { location: '/to' }).end();
        else if (request.url === '/fails' && fails-- > 0) response.writeHead(503).end();
        else response.writeHead(200, { 'x-answer': 'yes' }).end('hello');
      });
      server.server.on('upgrade', (_, socket) => {
        socket.on('data', () => undefined).on('end', () => socket.destroy());
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
        );
      });
    });

    afterEach(async () => {
      await server.stop();
      bench.stop();
    });

    for (const api of [
      'request',
      'stream',
      'pipeline',
      'fetch',
      'a pool',
      'a client',
      'an agent',
    ]) {
      it(`records ${api} for three callers`, async () => {
        const dispatcher =
          api === 'a pool'
            ? new undici.Pool(server.url, { connections: 1 })
            : api === 'a client'
              ? new undici.Client(server.url)
              : new undici.Agent({ connections: 1 });
        const send = async (): Promise<void> => {
          switch (api) {
            case 'fetch':
              await (await undici.fetch(server.url, { dispatcher })).text();
              break;
            case 'stream':
              await undici.stream(server.url, { dispatcher, method: 'GET' }, () => new Sink());
              break;
            case 'pipeline': {
              const duplex = undici.pipeline(
                server.url,
                { dispatcher, method: 'POST' },
                ({ body }: { body: NodeJS.ReadableStream }) => body,
              );
              duplex.end('x').resume();
              await once(duplex, 'end');
              break;
            }
            case 'request': {
              const { body } = await undici.request(server.url, { dispatcher });
              await body.text();
              break;
            }
            default: {
              const origin = api === 'an agent' ? { origin: server.url } : {};
              const { body } = await dispatcher.request({ ...origin, path: '/', method: 'GET' });
              await body.text();
            }
          }
        };
        await Promise.all(
          ['A', 'B', 'C'].map((who) =>
            asCaller(who, async () => {
              await send();
              assert.equal(caller(), who);
            }),
          ),
        );
        await dispatcher.close();
        const spans = await bench.spans(3);
        assert.deepEqual(inOrder(spans.map((span) => span.parentSpanContext?.spanId.slice(-2))), [
          '41',
          '42',
          '43',
        ]);
        assert.deepEqual(inOrder(server.traceHeaders()), inOrder(spans.map((s) => [traceOf(s)])));
        for (const { attributes } of spans) {
          assert.equal(attributes['http.response.status_code'], 200);
          assert.equal(attributes['server.port'], server.port);
          assert.equal(attributes['network.protocol.version'], '1.1');
        }
      });
    }

    it('counts what undici sends again by itself, also on the connection of another caller', async function () {
      // Undici 5 has none.
      if (undici.interceptors?.retry === undefined) this.skip();
      // Marks the contexts that a rule has given back, as a provider of clew's does.
      const marks = new RepairSpanProcessor();
      const { retry, redirect } = undici.interceptors;
      const agent = new undici.Agent({ connections: 1 });
      const dispatcher = agent.compose(
        retry({ minTimeout: 5, maxTimeout: 5 }),
        redirect({ maxRedirections: 2 }),
      );
      for (const who of ['A', 'B']) {
        await asCaller(who, async () => {
          fails = 2;
          await (await undici.fetch(`${server.url}/fails`, { dispatcher })).text();
          await (await undici.request(`${server.url}/from`, { dispatcher })).body.text();
        });
      }
      await agent.close();
      await marks.shutdown();
      const spans = await bench.spans(10);
      assert.deepEqual(
        spans.map((span) => [
          span.parentSpanContext?.spanId.slice(-2),
          String(span.attributes['url.full']).replace(server.url, ''),
          span.attributes['http.request.resend_count'],
        ]),
        ['41', '42'].flatMap((parent) => [
          [parent, '/fails', undefined],
          [parent, '/fails', 1],
          [parent, '/fails', 2],
          [parent, '/from', undefined],
          [parent, '/to', 1],
        ]),
      );
      assert.deepEqual(
        server.traceHeaders(),
        spans.map((span) => [traceOf(span)]),
      );
    });

    it('ends as a connection is upgraded', async () => {
      const client = new undici.Client(server.url);
      const { socket } = await client.upgrade({ path: '/', protocol: 'x' });
      socket.destroy();
      await client.destroy();
      assert.equal((await bench.span()).attributes['http.response.status_code'], 101);
    });

    it('records a client that is destroyed', async () => {
      const client = new undici.Client(server.url);
      const pending = client.request({ path: '/', method: 'GET' });
      await Promise.all([assert.rejects(pending), client.destroy()]);
      assert.equal((await bench.span()).attributes['error.type'], 'UND_ERR_DESTROYED');
    });

    it('replaces trace headers in every form, and captures what is asked for', async () => {
      bench.instrumentations[1]?.setConfig({
        requestHeaders: ['X-Mine', 'authorization'],
        responseHeaders: ['x-answer'],
      });
      const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
      for (const headers of [
        { Traceparent: traceparent, 'x-mine': 'a', authorization: 's3cret' },
        ['Traceparent', traceparent, 'X-Mine', 'a'],
      ]) {
        const { body } = await undici.request(server.url, { headers });
        await body.text();
      }
      const spans = await bench.spans(2);
      assert.deepEqual(
        server.traceHeaders(),
        spans.map((span) => [traceOf(span)]),
      );
      for (const { attributes } of spans) {
        assert.deepEqual(attributes['http.request.header.x-mine'], ['a']);
        assert.deepEqual(attributes['http.response.header.x-answer'], ['yes']);
        assert.equal(attributes['http.request.header.authorization'], undefined);
      }
      await undici.getGlobalDispatcher().close();
      undici.setGlobalDispatcher(new undici.Agent());
    });
  });
}

class Sink extends Writable {
  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    callback();
  }
}
