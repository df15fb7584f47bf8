import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';

import type { ViewerServerOptions } from '../../src/viewer/http/server.ts';
import type { ApiError, RequestList, Summary } from '../../src/viewer/model.ts';
import type { TraceView } from '../../src/viewer/trace-model.ts';
import type { Viewer } from '../../src/viewer/viewer.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { otlp, traceId, type TestSpan } from './support/spans.ts';
import { JSON_TYPE, type Answer, type Question, TestServer } from './support/test-server.ts';

describe("the viewer's server", () => {
  let viewer: Viewer;
  let port: number;
  let running: TestServer;

  const start = async (options?: Partial<ViewerServerOptions>): Promise<void> => {
    running = await TestServer.start(options);
    ({ viewer, port } = running);
  };
  afterEach(() => running.close());
  const ask = (path: string, question?: Question): Promise<Answer> => running.ask(path, question);
  const send = (...spans: TestSpan[]): Promise<Answer> => running.send(...spans);

  describe('guards what it shows', () => {
    it('answers under the names of loopback and no other, whatever they resolve to', async () => {
      await start();
      for (const host of [
        'localhost',
        `localhost:${port}`,
        '127.0.0.1:1',
        '127.8.9.1',
        '[::1]:80',
      ]) {
        assert.equal((await ask('/clew/summary', { headers: { host } })).status, 200, host);
      }
      for (const host of [
        'evil.test',
        `evil.test:${port}`,
        'localhost.evil.test',
        '127.0.0.1.nip.io',
        '10.0.0.1',
      ]) {
        for (const path of ['/', '/clew/summary', '/api/services', '/v1/traces']) {
          const { status, json } = await ask(path, { headers: { host } });
          assert.equal(status, 403, `${host}${path}`);
          assert.match((json as ApiError).error.message, /Host header/);
        }
      }
    });

    it('refuses other origins and other sites, and lets no page read it', async () => {
      await start();
      const own = `http://127.0.0.1:${port}`;
      const status = async (headers: Record<string, string>, method = 'GET'): Promise<number> =>
        (await ask('/clew/summary', { headers, method })).status;
      assert.equal(await status({ origin: own }), 200);
      for (const origin of [
        'http://evil.test',
        'null',
        `https://127.0.0.1:${port}`,
        'http://127.0.0.1:1',
      ]) {
        assert.equal(await status({ origin }), 403, origin);
        const { status: sent } = await ask('/v1/traces', {
          method: 'POST',
          headers: { ...JSON_TYPE, origin },
          body: '{}',
        });
        assert.equal(sent, 403);
      }
      assert.equal(
        await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }),
        403,
      );
      assert.equal(await status({ 'sec-fetch-site': 'same-site' }), 403);
      assert.equal(await status({ 'sec-fetch-site': 'same-origin' }), 200);
      assert.equal(
        await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }),
        200,
      );
      const { headers } = await ask('/clew/summary');
      assert.equal(headers['access-control-allow-origin'], undefined);
    });

    it('sends a strict policy and nosniff with every answer', async () => {
      await start();
      for (const path of ['/', '/page.js', '/clew/summary', '/nothing', '/api/services']) {
        const { headers } = await ask(path);
        const policy = String(headers['content-security-policy']);
        assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/, path);
        assert.doesNotMatch(policy, /unsafe/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.equal(headers['cache-control'], 'no-store');
      }
    });

    it('serves the files of the page, and nothing that a path climbs to', async () => {
      await start();
      const page = await ask('/');
      assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
      assert.match(page.text, /<title>page/);
      for (const path of [
        '/../package.json',
        '/%2e%2e/package.json',
        '/..%2fpackage.json',
        '/page.js/',
        '//page.js',
      ]) {
        assert.equal((await ask(path)).status, 404, path);
      }
      assert.equal((await ask('/', { method: 'DELETE' })).status, 405);
    });

    it('wants the token from each request where there is one, and keeps it out of the address', async () => {
      const token = 'a-token-of-more-than-16';
      await start({ token });
      const headers = { host: 'build.example:16686' };
      assert.equal((await ask('/', { headers })).status, 401);
      assert.equal((await ask('/?token=wrong', { headers })).status, 401);
      const first = await ask(`/?token=${token}&q=x`, { headers });
      assert.equal(first.status, 303);
      assert.equal(first.headers.location, '/?q=x');
      const cookie = String(first.headers['set-cookie']);
      assert.match(cookie, /HttpOnly; SameSite=Strict/);
      const kept = cookie.split(';')[0] ?? '';
      assert.equal(
        (await ask('/clew/summary', { headers: { ...headers, cookie: kept } })).status,
        200,
      );
      const bearer = { ...headers, authorization: `Bearer ${token}` };
      assert.equal((await ask('/clew/summary', { headers: bearer })).status, 200);
      const sent = { method: 'POST', headers: { ...headers, ...JSON_TYPE }, body: '{}' };
      assert.equal((await ask('/v1/traces', sent)).status, 401);
    });
  });

  describe('receives OTLP', () => {
    it('takes JSON, gzip, and what three senders send at once', async () => {
      await start();
      const body = gzipSync(JSON.stringify(otlp({ id: 'a' })));
      const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
      assert.equal((await ask('/v1/traces', { method: 'POST', headers, body })).status, 200);
      const all = ['f1', 'f2', 'f3'].map((trace) => send({ id: 'a', trace }));
      for (const { status, json } of await Promise.all(all)) {
        assert.equal(status, 200);
        assert.deepEqual(json, {});
      }
      const { json } = await ask('/clew/requests');
      assert.equal((json as RequestList).total, 4);
    });

    it('refuses what it cannot read, reports why, and counts it', async () => {
      await start();
      const cases: [string, Record<string, string>, string | Buffer, number, RegExp][] = [
        ['no JSON', JSON_TYPE, '{', 400, /not an OTLP export request/],
        ['no spans', JSON_TYPE, '{"resourceSpans":5}', 400, /resourceSpans is not an array/],
        [
          'protobuf',
          { 'content-type': 'application/x-protobuf' },
          Buffer.from([10, 200]),
          400,
          /truncated/,
        ],
        ['text', { 'content-type': 'text/plain' }, '{}', 415, /content-type/],
        ['brotli', { ...JSON_TYPE, 'content-encoding': 'br' }, '{}', 415, /gzip/],
        ['no gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, '{}', 400, /not gzip/],
        [
          'a bomb',
          { ...JSON_TYPE, 'content-encoding': 'gzip' },
          gzipSync(Buffer.alloc(70e6)),
          413,
          /longer than/,
        ],
      ];
      for (const [what, headers, body, status, message] of cases) {
        const answer = await ask('/v1/traces', { method: 'POST', headers, body });
        assert.equal(answer.status, status, what);
        assert.match((answer.json as ApiError).error.message, message, what);
      }
      const { dropped } = (await ask('/clew/summary')).json as Summary;
      assert.equal(dropped.refused, cases.length);
      assert.match(dropped.lastReason ?? '', /longer than/);
    });

    it('hands requests on to a collector as they came, and its answer back', async () => {
      const collector = await new OtlpReceiver().listen();
      try {
        await start({ forwardTo: `${collector.url}/v1/traces` });
        const headers = { ...JSON_TYPE, 'x-api-key': 'k' };
        const body = JSON.stringify(otlp({ id: 'a' }));
        assert.equal((await ask('/v1/traces', { method: 'POST', headers, body })).status, 200);
        assert.equal(collector.spans.length, 1);
        assert.equal(collector.requests[0]?.headers['x-api-key'], 'k');
        collector.fault = () => ({ status: 429, headers: { 'retry-after': '7' } });
        const refused = await send({ id: 'b' });
        assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '7']);
        assert.equal(viewer.store.spanCount, 2);
      } finally {
        await collector.close();
      }
      const { status } = await send({ id: 'c' });
      assert.equal(status, 503, 'the sender tries again, which adds nothing twice');
    });
  });

  it('answers the page: requests, a trace, findings, and what is not there', async () => {
    await start();
    await send({ id: 'a', name: 'GET /' }, { id: 'b', parent: 'a' });
    const list = (await ask('/clew/requests?q=get')).json as RequestList;
    assert.equal(list.requests[0]?.name, 'GET /');
    const trace = (await ask(`/clew/traces/${traceId('f0')}`)).json as TraceView;
    assert.equal(trace.spans.length, 2);
    assert.equal((await ask('/clew/pending')).status, 200);
    assert.deepEqual((await ask('/clew/findings')).json, { findings: [] });
    assert.equal((await ask('/clew/traces/abc')).status, 404);
    assert.equal((await ask('/clew/nothing')).status, 404);
    const bad = await ask('/clew/requests?limit=-1');
    assert.equal(bad.status, 400);
    assert.match((bad.json as ApiError).error.message, /`limit`/);
  });

  it('takes files that are dropped on the page, and refuses others with the reason', async () => {
    await start();
    const drop = (body: string | Buffer): Promise<Answer> =>
      ask('/clew/files', { method: 'POST', body });
    const lines = `${JSON.stringify(otlp({ id: 'a' }))}\n${JSON.stringify(otlp({ id: 'b', trace: 'f1' }))}\n`;
    assert.deepEqual((await drop(lines)).json, {
      format: 'otlp',
      traces: 2,
      spans: 2,
      findings: 0,
    });
    const jaeger = (await ask(`/api/traces/${traceId('f0')}`)).text;
    assert.equal(((await drop(jaeger)).json as { format: string }).format, 'jaeger');
    for (const body of [
      '',
      '{}',
      'hello',
      gzipSync('hello'),
      '{"data":5}',
      '{"version":1,"findings":[5]}',
    ]) {
      const { status, json } = await drop(body);
      assert.equal(status, 400, String(body));
      assert.ok((json as ApiError).error.message.length > 10);
    }
  });

  it('sends pages that listen what is new', async () => {
    await start();
    const asked = httpRequest({ host: '127.0.0.1', port, path: '/clew/live' });
    asked.end();
    const [response] = await once(asked, 'response');
    assert.equal(response.headers['content-type'], 'text/event-stream');
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await send({
      id: 'a',
      name: 'GET /new',
      attributes: { 'clew.context_loss': 'CLEW-LOST-QUEUE' },
    });
    while (!text.includes('event: findings')) await once(response, 'data');
    const data = /event: requests\ndata: (.*)\n\n/.exec(text)?.[1] ?? '{}';
    const { requests } = JSON.parse(data) as RequestList;
    assert.deepEqual(
      requests.map(({ name, findings }) => [name, findings]),
      [['GET /new', 1]],
    );
    assert.match(text, /^event: summary\ndata: \{"contract":1/);
    asked.destroy();
  });
});
