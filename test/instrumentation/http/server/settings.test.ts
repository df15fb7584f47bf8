import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as makeRequest, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer, request as makeTlsRequest } from 'node:https';

import { context, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { HttpInstrumentation } from '../../../../src/instrumentation/http/http-instrumentation.ts';
import type { HttpServerConfig } from '../../../../src/instrumentation/http/server/server-config.ts';
import { readHttpServerSettings } from '../../../../src/instrumentation/http/server/server-settings.ts';
import { serverRequestOf } from '../../../../src/instrumentation/http/server/server-request.ts';
import { isSuppressed } from '../../../../src/carry/suppression.ts';
import { makeCertificates } from '../../../export/support/certificates.ts';
import { noteSkipped } from '../../../support/services.ts';
import { activePath, get, RawClient, serving, setUp, type Setup } from './support.ts';

describe('settings of HTTP servers', () => {
  let setup: Setup;
  afterEach(() => setup.stop());

  /** The answer to a request, and its headers. */
  const ask = async (
    port: number,
    path = '/',
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> => {
    const request = makeRequest({ host: '127.0.0.1', port, path, headers, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return response;
  };

  const spanOf = async (
    config: HttpServerConfig,
    headers: Record<string, string>,
    handler: Parameters<typeof serving>[0] = (_request, response) => response.end(),
  ): Promise<ReadableSpan> => {
    setup = setUp(config);
    await serving(handler, (port) => ask(port, '/', headers));
    return setup.request();
  };

  describe('to ignore requests', () => {
    it('leave out paths, whatever their query, and all that is done for them', async () => {
      setup = setUp({ ignorePaths: ['/healthz', '/internal/*', '*/ping'] });
      const suppressed: string[] = [];
      await serving(
        (request, response) => {
          trace.getTracer('app').startSpan('inside').end();
          if (isSuppressed(context.active())) suppressed.push(request.url ?? '');
          response.end();
        },
        async (port) => {
          const paths = ['/healthz', '/healthz?full=1', '/internal/a/b', '/a/ping', '/healthz/no'];
          for (const path of paths) await ask(port, path);
          assert.deepEqual(suppressed, paths.slice(0, 4));
        },
      );
      const span = await setup.request();
      assert.equal(span.attributes['url.path'], '/healthz/no');
      assert.equal(setup.spans().length, 2);
    });

    it('ask a predicate, and record where it throws', async () => {
      setup = setUp({
        ignore: ({ url, method, headers }) => {
          if (url === '/throws') throw new Error('no good');
          return method === 'GET' && headers['user-agent'] === 'probe';
        },
      });
      await serving(
        (_request, response) => response.end(),
        async (port) => {
          await ask(port, '/probe', { 'user-agent': 'probe' });
          await ask(port, '/throws');
        },
      );
      assert.equal((await setup.request()).attributes['url.path'], '/throws');
    });
  });

  describe('to capture headers', () => {
    it('record those that were asked for', async () => {
      const { attributes } = await spanOf(
        { requestHeaders: ['X-Tenant', 'x-none'], responseHeaders: ['x-one', 'x-two'] },
        { 'x-tenant': 'blue' },
        (_request, response) => {
          response.setHeader('x-one', ['1', '2']);
          response.writeHead(200, { 'X-Two': '3' }).end();
        },
      );
      assert.deepEqual(attributes['http.request.header.x-tenant'], ['blue']);
      assert.equal('http.request.header.x-none' in attributes, false);
      assert.deepEqual(attributes['http.response.header.x-one'], ['1', '2']);
      assert.deepEqual(attributes['http.response.header.x-two'], ['3']);
    });

    it('find those of a head that was written at once', async () => {
      const { attributes } = await spanOf(
        { responseHeaders: ['x-two'] },
        {},
        (_request, response) => response.writeHead(200, { 'X-Two': '3' }).end(),
      );
      assert.deepEqual(attributes['http.response.header.x-two'], ['3']);
    });

    it('never record what carries a secret, also where it is asked for', async () => {
      const secrets = [
        'authorization',
        'Proxy-Authorization',
        'Cookie',
        'x-api-key',
        'x-auth-token',
        'x-amz-security-token',
        'x-csrf-token',
        'x-session-id',
      ];
      const span = await spanOf(
        { requestHeaders: secrets, responseHeaders: ['Set-Cookie'] },
        Object.fromEntries(secrets.map((name) => [name, 's3cret'])),
        (_request, response) => response.setHeader('set-cookie', 's3cret').end(),
      );
      assert.doesNotMatch(JSON.stringify([span.attributes, span.events]), /s3cret/);
    });
  });

  describe('for trusted proxies', () => {
    const FORWARDED = {
      'x-forwarded-for': '203.0.113.9, 198.51.100.7, 10.1.1.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
    };
    const seen = ({ attributes }: ReadableSpan): unknown[] => [
      attributes['client.address'],
      attributes['url.scheme'],
      attributes['server.address'],
      attributes['network.peer.address'],
    ];

    it('trust no proxy unless configured', async () => {
      const span = await spanOf({}, FORWARDED);
      assert.deepEqual(seen(span), ['127.0.0.1', 'http', '127.0.0.1', '127.0.0.1']);
    });

    it('take the last address that is not one of theirs', async () => {
      const span = await spanOf({ trustedProxies: ['loopback', '10.0.0.0/8'] }, FORWARDED);
      assert.deepEqual(seen(span), ['198.51.100.7', 'https', 'shop.example', '127.0.0.1']);
      assert.equal(span.attributes['server.port'], 443);
    });

    it('believe no other', async () => {
      const span = await spanOf({ trustedProxies: ['10.0.0.0/8'] }, FORWARDED);
      assert.deepEqual(seen(span), ['127.0.0.1', 'http', '127.0.0.1', '127.0.0.1']);
    });

    it('read `Forwarded` as well', async () => {
      const span = await spanOf(
        { trustedProxies: ['127.0.0.1'] },
        { forwarded: 'for=spoofed, for="[2001:db8::1]:4711";proto=https;host="a.example:8443"' },
      );
      assert.deepEqual(seen(span), ['2001:db8::1', 'https', 'a.example', '127.0.0.1']);
      assert.equal(span.attributes['server.port'], 8443);
    });

    for (const value of ['', 'nonsense', 'for=', 'for=_hidden', '"', ',,,', 'for=1.2.3.4:99999']) {
      it(`survive \`${value}\``, async () => {
        const span = await spanOf({ trustedProxies: ['loopback'] }, { forwarded: value });
        assert.match(String(span.attributes['client.address']), /^127\.0\.0\.1$|^1\.2\.3\.4$/);
      });
    }
  });

  describe('with hooks', () => {
    it('show them the span with its request and its response', async () => {
      const { attributes } = await spanOf(
        {
          requestHook: (span, request) =>
            void span.setAttribute(
              'app.tenant',
              String((request as IncomingMessage).headers['x-tenant']),
            ),
          responseHook: (span, response) =>
            void span.setAttribute('app.status', (response as { statusCode: number }).statusCode),
        },
        { 'x-tenant': 'blue' },
      );
      assert.deepEqual([attributes['app.tenant'], attributes['app.status']], ['blue', 200]);
    });

    it('keep their errors from the request', async () => {
      const fail = (): never => {
        throw new Error('a bad hook');
      };
      const { attributes } = await spanOf({ requestHook: fail, responseHook: fail }, {});
      assert.equal(attributes['http.response.status_code'], 200);
    });
  });

  it('send the ids of the span to the client on request', async () => {
    setup = setUp({ serverTiming: true });
    let headers: IncomingMessage['headers'] = {};
    await serving(
      (_request, response) => response.writeHead(200, { 'x-other': '1' }).end(),
      async (port) => ({ headers } = await ask(port)),
    );
    const { traceId, spanId } = (await setup.request()).spanContext();
    assert.equal(headers['server-timing'], `traceparent;desc="00-${traceId}-${spanId}-01"`);
    assert.equal(headers['access-control-expose-headers'], 'Server-Timing');
    assert.equal(headers['x-other'], '1');
  });

  it('change nothing in a response otherwise', async () => {
    setup = setUp();
    let names: string[] = [];
    await serving(
      (_request, response) => response.end(),
      async (port) => (names = Object.keys((await ask(port)).headers).toSorted()),
    );
    assert.deepEqual(names, ['connection', 'content-length', 'date']);
  });

  it('hold for requests from their start', async () => {
    setup = setUp({ ignorePaths: ['/a'] });
    setup.instrumentation.setConfig({ incoming: { ignorePaths: ['/b'] } });
    await serving(
      (_request, response) => response.end(),
      async (port) => {
        await ask(port, '/a');
        await ask(port, '/b');
      },
    );
    assert.equal((await setup.request()).attributes['url.path'], '/a');
  });

  it('are taken out again by `disable`', async () => {
    setup = setUp();
    const server = createServer((request, response) => {
      response.end(String(serverRequestOf(request) === undefined));
    });
    setup.instrumentation.disable();
    await serving(server, async (port) => {
      const client = new RawClient(port).send(get('/'));
      await client.receives('true');
      client.close();
    });
    assert.deepEqual(setup.spans(), []);
    assert.equal(setup.instrumentation.getConfig().enabled, false);
    setup.instrumentation.enable();
    await serving(
      (_request, response) => response.end(),
      (port) => ask(port),
    );
    await setup.request();
  });

  it('hold for servers of TLS', async function () {
    const certificates = makeCertificates();
    setup = setUp();
    if (certificates === undefined) {
      noteSkipped('HTTPS: no openssl on this machine to make certificates');
      this.skip();
    }
    const { ca, server: pair } = certificates;
    const server = createTlsServer(pair, (request, response) => response.end(activePath()));
    await serving(server, async (port) => {
      const host = '127.0.0.1';
      const request = makeTlsRequest({ host, port, path: '/tls', ca, agent: false }).end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      assert.equal(Buffer.concat(parts).toString(), '/tls');
    });
    const { attributes } = await setup.request();
    assert.equal(attributes['url.scheme'], 'https');
  });

  describe('that are no good', () => {
    beforeEach(() => (setup = setUp()));

    const bad: [string, object][] = [
      ['an unknown name', { ignorePath: ['/a'] }],
      ['a list that is none', { ignorePaths: '/a' }],
      ['a list of other things', { requestHeaders: [1] }],
      ['a hook that is none', { requestHook: true }],
      ['a flag that is none', { serverTiming: 1 }],
      ['a proxy that is no address', { trustedProxies: ['proxy.example'] }],
      ['a range that is none', { trustedProxies: ['10.0.0.0/33'] }],
    ];
    for (const [what, incoming] of bad) {
      it(`are an error: ${what}`, () => {
        assert.throws(() => new HttpInstrumentation({ incoming }), { code: 'ERR_OPTION' });
      });
    }

    it('accept the widest range', () => {
      void new HttpInstrumentation({ incoming: { trustedProxies: ['10.0.0.0/32', '::/128'] } });
    });

    it('are reported and left out where the environment has them', () => {
      const { settings, problems } = readHttpServerSettings({
        CLEW_HTTP_IGNORE_INCOMING: '/healthz, /internal/*,',
        CLEW_HTTP_TRUSTED_PROXIES: 'loopback,nonsense',
        CLEW_HTTP_SERVER_TIMING: 'maybe',
        OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS: 'x-tenant,cookie',
        OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: 'GET,PURGE',
      });
      assert.deepEqual(settings.ignorePaths, ['/healthz', '/internal/*']);
      assert.deepEqual(settings.requestHeaders, ['x-tenant']);
      assert.deepEqual(settings.trustedProxies, []);
      assert.equal(settings.serverTiming, false);
      assert.deepEqual(settings.knownMethods, ['GET', 'PURGE']);
      assert.equal(problems.length, 3);
      for (const word of ['cookie', 'nonsense', 'maybe']) {
        assert.ok(
          problems.some(({ message }) => message.includes(word)),
          word,
        );
      }
    });
  });
});
