import assert from 'node:assert/strict';

import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import {
  activeServerRequest,
  serverRequestOf,
  setHttpRoute,
} from '../../../../src/instrumentation/http/server/server-request.ts';
import { runNode } from '../../../support/run-node.ts';
import { get, RawClient, serving, setUp, until, type Setup } from './support.ts';

const REGISTER = new URL('../../../../src/register.js', import.meta.url).href;
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe('spans of HTTP servers', () => {
  let setup: Setup;
  const start = (config?: Parameters<typeof setUp>[0]): Setup => (setup = setUp(config));
  afterEach(() => setup.stop());

  /** One request with `fetch`, and its span. */
  const spanOf = async (
    handler: Parameters<typeof serving>[0],
    path = '/',
    options: RequestInit = {},
  ): Promise<ReadableSpan> => {
    await serving(handler, async (port) => {
      await (await fetch(`http://127.0.0.1:${port}${path}`, options)).text();
      await setup.requests(1);
    });
    return setup.request();
  };

  it('have what the conventions ask for', async () => {
    start();
    let port = 0;
    await serving(
      (request, response) => {
        request.resume();
        response.end('hello');
      },
      async (opened) => {
        port = opened;
        const client = new RawClient(port).send(
          'POST /users/1?a=b&sig=secret&X-Amz-Signature=other HTTP/1.1',
          `Host: shop.example:${port}`,
          'User-Agent: test/1',
          'Content-Length: 3',
          '',
          'abc',
        );
        await client.receives('hello');
        client.close();
        const span = await setup.request();
        const peerPort = span.attributes['network.peer.port'];
        assert.equal(typeof peerPort, 'number');
        assert.equal(span.name, 'POST');
        assert.equal(span.instrumentationScope.name, 'clew/http');
        assert.deepEqual(span.status, { code: SpanStatusCode.UNSET });
        assert.deepEqual(span.attributes, {
          'http.request.method': 'POST',
          'url.path': '/users/1',
          'url.query': 'a=b&sig=REDACTED&X-Amz-Signature=REDACTED',
          'url.scheme': 'http',
          'server.address': 'shop.example',
          'server.port': port,
          'client.address': '127.0.0.1',
          'network.peer.address': '127.0.0.1',
          'network.peer.port': peerPort,
          'network.protocol.version': '1.1',
          'user_agent.original': 'test/1',
          'http.request.body.size': 3,
          'http.response.status_code': 200,
          'http.response.body.size': 5,
        });
      },
    );
  });

  it('have all that matters to sampling at their creation', async () => {
    start();
    let atStart: object = {};
    await spanOf((_request, response) => {
      const { attributes } = trace.getActiveSpan() as unknown as ReadableSpan;
      atStart = { ...attributes };
      response.end();
    }, '/a?b=c');
    const { attributes } = await setup.request();
    const {
      'http.response.status_code': status,
      'http.response.body.size': size,
      ...rest
    } = attributes;
    assert.equal(status, 200);
    assert.equal(size, 0);
    assert.deepEqual(atStart, rest);
  });

  it('are children of the span that the request names', async () => {
    start();
    const span = await spanOf((_request, response) => response.end(), '/', {
      headers: { traceparent: PARENT },
    });
    assert.equal(span.spanContext().traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.equal(span.parentSpanContext?.spanId, 'b7ad6b7169203331');
  });

  it('are not made of a request that is not sampled, whose context is passed on', async () => {
    start();
    let seen: object | undefined;
    await serving(
      (request, response) => {
        const { traceId, spanId, traceFlags } = trace.getSpanContext(context.active()) ?? {};
        seen = { traceId, spanId, traceFlags };
        assert.equal(serverRequestOf(request) === undefined, request.url === '/');
        assert.equal(activeServerRequest() === undefined, request.url === '/');
        response.end();
      },
      async (port) => {
        await fetch(`http://127.0.0.1:${port}`, { headers: { traceparent: UNSAMPLED } });
        const unsampled = seen;
        await fetch(`http://127.0.0.1:${port}/sampled`, { headers: { traceparent: PARENT } });
        seen = unsampled;
      },
    );
    assert.equal((await setup.request()).attributes['url.path'], '/sampled');
    const [, traceId, spanId] = UNSAMPLED.split('-');
    assert.deepEqual(seen, { traceId, spanId, traceFlags: 0 });
  });

  describe('with a route', () => {
    it('are named by it, the last one that was set', async () => {
      start();
      const span = await spanOf(function handle(request, response) {
        const served = serverRequestOf(request);
        assert.equal(served, activeServerRequest());
        assert.equal(served, serverRequestOf(response));
        served?.setRoute('/users');
        served?.setRoute('/users/:id', function showUser() {});
        response.end();
      }, '/users/1');
      assert.equal(span.name, 'GET /users/:id');
      assert.equal(span.attributes['http.route'], '/users/:id');
      assert.equal(span.attributes['code.function.name'], 'showUser');
    });

    it('take it in one line from a router of the application', async () => {
      start();
      const results: boolean[] = [];
      const span = await spanOf((request, response) => {
        results.push(setHttpRoute(request, '/own/:id'));
        results.push(setHttpRoute({}, '/nobody'), setHttpRoute(null as never, '/nobody'));
        results.push(setHttpRoute(request, 5 as never));
        response.end();
      });
      assert.equal(span.name, 'GET /own/:id');
      assert.deepEqual(results, [true, false, false, false]);
    });

    it('take it from an official instrumentation of a framework', async () => {
      start();
      const key = Symbol.for('OpenTelemetry SDK Context Key RPC_METADATA');
      const span = await spanOf((_request, response) => {
        const metadata = context.active().getValue(key) as { type: string; route?: string };
        assert.equal(metadata.type, 'http');
        metadata.route = '/express/:id';
        response.end();
      });
      assert.equal(span.name, 'GET /express/:id');
    });

    it('show no handler where that is switched off', async () => {
      start({ handlerNames: false });
      const span = await spanOf((request, response) => {
        serverRequestOf(request)?.setRoute('/a', function named() {});
        response.end();
      });
      assert.equal(span.attributes['code.function.name'], undefined);
      assert.equal(span.attributes['http.route'], '/a');
    });
  });

  describe('of what fails', () => {
    it('are recorded by the status code', async () => {
      start();
      const span = await spanOf((_request, response) => response.writeHead(503).end());
      assert.equal(span.attributes['error.type'], '503');
      assert.deepEqual(span.status, { code: SpanStatusCode.ERROR });
    });

    it('are no errors where the client is at fault', async () => {
      start();
      const span = await spanOf((_request, response) => response.writeHead(404).end());
      assert.equal(span.attributes['error.type'], undefined);
      assert.deepEqual(span.status, { code: SpanStatusCode.UNSET });
    });

    it('have the error with its stack, once, and its type', async () => {
      start();
      const span = await spanOf((request, response) => {
        const error = new RangeError('too far');
        serverRequestOf(request)?.recordError(error);
        serverRequestOf(request)?.recordError(error);
        serverRequestOf(request)?.recordError(undefined);
        response.writeHead(500).end();
      });
      assert.equal(span.attributes['error.type'], 'RangeError');
      assert.equal(span.events.length, 1);
      const { attributes = {} } = span.events[0] ?? {};
      assert.equal(attributes['exception.type'], 'RangeError');
      assert.equal(attributes['exception.message'], 'too far');
      assert.match(String(attributes['exception.stacktrace']), /spans\.test/);
    });

    it('have an error that was answered well, and are none', async () => {
      start();
      const span = await spanOf((request, response) => {
        serverRequestOf(request)?.recordError(new Error('handled'));
        response.end();
      });
      assert.equal(span.events.length, 1);
      assert.equal(span.attributes['error.type'], undefined);
      assert.equal(span.status.code, SpanStatusCode.UNSET);
    });
  });

  it('show a method that is not known as `_OTHER`', async () => {
    start();
    await serving(
      (_request, response) => response.end('done'),
      async (port) => {
        const client = new RawClient(port).send('PROPFIND / HTTP/1.1', 'Host: test', '', '');
        await client.receives('done');
        client.close();
        const span = await setup.request();
        assert.equal(span.name, 'HTTP');
        assert.equal(span.attributes['http.request.method'], '_OTHER');
        assert.equal(span.attributes['http.request.method_original'], 'PROPFIND');
      },
    );
  });

  it('have no body where a response has none, and a size where it is known', async () => {
    start();
    const sizes: unknown[] = [];
    const handlers: Parameters<typeof serving>[0][] = [
      (_request, response) => response.setHeader('content-length', 4).end('four'),
      (_request, response) => response.writeHead(200, { 'Content-Length': '4' }).end('four'),
      (_request, response) => {
        response.write('chun');
        response.end('ked');
      },
      (_request, response) => response.writeHead(204).end(),
    ];
    for (const handler of handlers) {
      sizes.push((await spanOf(handler)).attributes['http.response.body.size']);
      setup.reset();
    }
    assert.deepEqual(sizes, [4, 4, undefined, undefined]);
    await serving(
      (_request, response) => response.setHeader('content-length', 4).end(),
      async (port) => {
        await fetch(`http://127.0.0.1:${port}`, { method: 'HEAD' });
        const span = await setup.request();
        assert.equal(span.attributes['http.response.body.size'], undefined);
      },
    );
  });

  it('are as many as requests that three callers make at once', async () => {
    start();
    await serving(
      (request, response) => void setTimeout(() => response.end(request.url), 5),
      async (port) => {
        const caller = async (name: string): Promise<void> => {
          const client = new RawClient(port);
          for (const path of [`/${name}/1`, `/${name}/2`, `/${name}/3`]) {
            client.send(get(path));
            await client.receives(path);
          }
          client.close();
        };
        await Promise.all(['a', 'b', 'c'].map(caller));
        const paths = (await setup.requests(9)).map(({ attributes }) => attributes['url.path']);
        assert.deepEqual(
          paths.map(String).toSorted((a, b) => a.localeCompare(b)),
          ['a', 'b', 'c'].flatMap((name) => [1, 2, 3].map((n) => `/${name}/${n}`)),
        );
      },
    );
  });

  it('end with the error that a handler throws', async () => {
    start();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown: unknown[] = [];
    process.on('uncaughtException', (error) => thrown.push(error));
    try {
      await serving(
        () => {
          throw new TypeError('thrown');
        },
        async (port) => {
          const client = new RawClient(port).send(get('/'));
          await until(
            () => thrown.length > 0,
            () => 'an exception',
          );
          client.close();
          const span = await setup.request();
          assert.equal(span.attributes['error.type'], 'TypeError');
          assert.equal(span.events[0]?.attributes?.['exception.message'], 'thrown');
        },
      );
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });

  it('end with the process that an error of a handler ends', async function () {
    this.timeout(120_000);
    start();
    const program = `
      import { createServer, get } from 'node:http';
      const server = createServer((request, response) => {
        if (request.url === '/') throw new TypeError('thrown');
      }).listen(0, '127.0.0.1', () => get({ port: server.address().port }).on('error', () => {}));`;
    const { stdout, stderr, code } = await runNode(
      ['--no-warnings', '--import', REGISTER, '--input-type=module', '--eval', program],
      { env: { OTEL_TRACES_EXPORTER: 'console' } },
    );
    assert.equal(code, 1);
    assert.match(stderr, /TypeError: thrown/);
    assert.match(stdout, /'error.type': 'TypeError'/);
    assert.match(stdout, /'exception.message': 'thrown'/);
  });
});
