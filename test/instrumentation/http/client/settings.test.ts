import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

import { context, metrics, trace, type Span } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type HistogramMetricData,
} from '@opentelemetry/sdk-metrics';

import {
  resolveHttpClientConfig,
  type HttpClientConfig,
} from '../../../../src/instrumentation/http/client/client-config.ts';
import { readHttpClientSettings } from '../../../../src/instrumentation/http/client/client-settings.ts';
import { urlMatcher } from '../../../../src/instrumentation/http/client/ignored-urls.ts';
import type { OutgoingRequest } from '../../../../src/instrumentation/http/client/index.ts';
import {
  sweepBodies,
  UNREAD_MILLIS,
  watchedBodies,
} from '../../../../src/instrumentation/http/client/unread-bodies.ts';
import { asCaller, Bench, TestServer } from './support.ts';

type Send = (path: string, headers?: Record<string, string>) => Promise<void>;

describe('settings of outgoing requests', () => {
  let bench: Bench;
  let server: TestServer;
  let other: http2.Http2Server;

  beforeEach(async () => {
    bench = new Bench();
    server = await TestServer.start((_, response) => {
      response.setHeader('x-answer', ['1', '2']).end('hello');
    });
    other = http2.createServer((_, response) => {
      response.setHeader('x-answer', ['1', '2']);
      response.end('hello');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
  });

  afterEach(async () => {
    other.close();
    await server.stop();
    metrics.disable();
    bench.stop();
  });

  const sends: Record<string, Send> = {
    http: async (path, headers = {}) => {
      const [response] = (await once(http.get(server.url + path, { headers }), 'response')) as [
        IncomingMessage,
      ];
      response.resume();
      await new Promise((resolve) => response.on('close', resolve));
    },
    fetch: async (path, headers = {}) => {
      await (await fetch(server.url + path, { headers })).text();
    },
    http2: async (path, headers = {}) => {
      const session = http2.connect(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
      const stream = session.request({ ':path': path, ...headers });
      stream.resume();
      await new Promise((resolve) => stream.on('close', resolve));
      session.close();
    },
  };

  function configure(config: HttpClientConfig): void {
    for (const one of bench.instrumentations) one.setConfig(config);
  }

  for (const [api, send] of Object.entries(sends)) {
    describe(api, () => {
      it('ignores by pattern and by predicate: no span and no header', async () => {
        configure({
          ignoreUrls: ['/health*'],
          ignore: ({ path, header }) => path === '/mine' && header('x-ignore') === 'yes',
        });
        await send('/healthz?a=b');
        await send('/mine', { 'x-ignore': 'yes' });
        assert.deepEqual(server.traceHeaders().flat(), []);
        await send('/mine');
        assert.match(String((await bench.span()).attributes['url.full']), /\/mine$/);
      });

      it('records a request only inside a span, where that is asked for', async () => {
        configure({ requireParent: true });
        await send('/');
        await asCaller('A', () => send('/'));
        assert.equal((await bench.span()).parentSpanContext?.spanId.slice(-2), '41');
      });

      it('leaves alone what is suppressed, as exports are', async () => {
        await context.with(suppressTracing(context.active()), () => send('/'));
        await send('/recorded');
        assert.match(String((await bench.span()).attributes['url.full']), /\/recorded$/);
        if (api !== 'http2') assert.equal(server.traceHeaders()[0]?.length, 0);
      });

      it('sends the trace of a parent that is not sampled, and records nothing', async () => {
        const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 };
        await context.with(trace.setSpanContext(context.active(), spanContext), () => send('/'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.equal(bench.telemetry.spans().length, 0);
        if (api === 'http2') return;
        assert.match(server.traceHeaders()[0]?.[0] ?? '', /^00-1{32}-[0-9a-f]{16}-00$/);
      });

      it('captures headers that are asked for, and none that is a secret', async () => {
        configure({
          requestHeaders: ['X-Mine', 'Authorization', 'cookie', 'x-api-key'],
          responseHeaders: ['X-Answer', 'set-cookie'],
        });
        await send('/', { 'x-mine': 'a', authorization: 's3cret', 'x-api-key': 's3cret' });
        const { attributes } = await bench.span();
        assert.deepEqual(attributes['http.request.header.x-mine'], ['a']);
        assert.equal(String(attributes['http.response.header.x-answer']).replace(' ', '')[0], '1');
        assert.doesNotMatch(JSON.stringify(attributes), /s3cret/);
      });

      it('calls hooks, and survives those that throw', async () => {
        const seen: unknown[] = [];
        configure({
          requestHook: (span: Span, request: OutgoingRequest) => {
            span.setAttribute('mine', request.method);
            seen.push(request.path);
            throw new Error('of the hook');
          },
          responseHook: (_span, { status, header }) => {
            seen.push(status, header('x-answer') !== undefined);
            throw new Error('of the hook');
          },
          urlTemplate: ({ path }) => (path.startsWith('/users/') ? '/users/{id}' : undefined),
          ignore: ({ path }) => {
            if (path === '/throw') throw new Error('of the predicate');
            return false;
          },
        });
        await send('/users/1');
        const { name, attributes } = await bench.span();
        assert.deepEqual(seen, ['/users/1', 200, true]);
        assert.equal(name, 'GET /users/{id}');
        assert.equal(attributes['url.template'], '/users/{id}');
        assert.equal(attributes['mine'], 'GET');
        await send('/throw');
      });

      it('shows the methods that are known to it', async () => {
        configure({ knownMethods: ['PUT'] });
        await send('/');
        const { name, attributes } = await bench.span();
        assert.equal(name, 'HTTP');
        assert.equal(attributes['http.request.method_original'], 'GET');
      });

      it('measures the duration where a meter exists', async () => {
        const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
        const reader = new PeriodicExportingMetricReader({ exporter });
        const provider = new MeterProvider({ readers: [reader] });
        for (const one of bench.instrumentations) one.setMeterProvider(provider);
        await send('/?a=s3cret');
        await bench.span();
        await provider.forceFlush();
        const [metric, ...more] = exporter
          .getMetrics()
          .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
        assert.equal(more.length, 0);
        assert.equal(metric?.descriptor.name, 'http.client.request.duration');
        assert.equal(metric.descriptor.unit, 's');
        const [point] = (metric as HistogramMetricData).dataPoints;
        assert.equal(point?.value.count, 1);
        assert.deepEqual(point.value.buckets.boundaries.slice(0, 3), [0.005, 0.01, 0.025]);
        const { 'server.port': port, ...others } = point.attributes;
        assert.equal(typeof port, 'number');
        assert.deepEqual(others, {
          'http.request.method': 'GET',
          'server.address': '127.0.0.1',
          'http.response.status_code': 200,
          'network.protocol.version': api === 'http2' ? '2' : '1.1',
        });
        await provider.shutdown();
      });
    });
  }

  it('ends a span of http whose body is not read', async () => {
    const agent = new http.Agent({ keepAlive: true });
    const [response] = (await once(http.get(server.url, { agent }), 'response')) as [
      IncomingMessage,
    ];
    assert.equal(watchedBodies(), 1);
    sweepBodies(performance.now() + UNREAD_MILLIS - 1000);
    assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
    sweepBodies(performance.now() + UNREAD_MILLIS + 1000);
    const { attributes, duration } = await bench.span();
    assert.equal(attributes['clew.http.response.body_abandoned'], true);
    assert.equal(attributes['http.response.status_code'], 200);
    assert.ok(duration[0] < 5);
    assert.equal(watchedBodies(), 0);
    response.destroy();
    agent.destroy();
  });

  it('waits for a body that is being read, however slowly', async () => {
    let finish: () => void = () => undefined;
    const slow = await TestServer.start((_, answer) => {
      answer.write('a');
      finish = () => answer.end();
    });
    const [response] = (await once(http.get(slow.url), 'response')) as [IncomingMessage];
    response.resume();
    sweepBodies(performance.now() + 10 * UNREAD_MILLIS);
    assert.deepEqual(bench.telemetry.openSpans(), ['GET']);
    assert.equal(watchedBodies(), 0);
    finish();
    await once(response, 'close');
    assert.equal((await bench.span()).attributes['clew.http.response.body_abandoned'], undefined);
    await slow.stop();
  });

  it('reads the environment', () => {
    const { settings, problems } = readHttpClientSettings({
      CLEW_HTTP_IGNORE_OUTGOING: '/health*, *.internal',
      CLEW_HTTP_REQUIRE_PARENT: 'true',
      OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS: 'x-a,Cookie',
      OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS: ' x-b ',
      OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: 'GET,PURGE',
    });
    assert.deepEqual(settings, {
      ignoreUrls: ['/health*', '*.internal'],
      requireParent: true,
      requestHeaders: ['x-a'],
      responseHeaders: ['x-b'],
      knownMethods: ['GET', 'PURGE'],
    });
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /Cookie/);
    const bad = readHttpClientSettings({ CLEW_HTTP_REQUIRE_PARENT: 'perhaps' });
    assert.equal(bad.settings.requireParent, false);
    assert.equal(bad.problems.length, 1);
  });

  it('refuses what it does not know', () => {
    for (const config of [
      { nonsense: 1 },
      { ignore: 'x' },
      { ignoreUrls: 'x' },
      { requestHeaders: [1] },
      { requireParent: 'yes' },
    ]) {
      assert.throws(() => resolveHttpClientConfig(config as never), { code: 'ERR_OPTION' });
    }
  });

  it('matches patterns of URLs', () => {
    const place = { host: 'Search.internal', port: 9200, path: '/a/b?c=/health' };
    for (const [pattern, expected] of [
      ['/a/b', true],
      ['/a', false],
      ['/a/*', true],
      ['*/b', false],
      ['*/a/b', true],
      ['/*', true],
      ['/health', false],
      ['search.internal', true],
      ['*.internal', true],
      ['internal', false],
      ['search.internal:9200', true],
      ['search.internal:9201', false],
      ['search.internal/a/*', true],
      ['https://search.internal/a/*', true],
      ['search.internal/x', false],
      ['*', true],
      ['', false],
      ['(.*', false],
    ] as const) {
      assert.equal(urlMatcher([pattern])(place), expected, pattern);
    }
    assert.equal(urlMatcher(['/x', '*.internal'])(place), true);
    assert.equal(urlMatcher(['a.com'])({ host: undefined, port: undefined, path: '/' }), false);
    const started = performance.now();
    urlMatcher(['*a*a*a*a*a*a*a*b'])({ ...place, host: 'a'.repeat(2000) });
    assert.ok(performance.now() - started < 500);
  });
});
