import assert from 'node:assert/strict';

import type { ViewerServerOptions } from '../../src/viewer/http/server.ts';
import { nanos, otlp, traceId, type TestSpan } from './support/spans.ts';
import { type Answer, type Question, TestServer } from './support/test-server.ts';

describe("the viewer's server, asked as a Jaeger", () => {
  let running: TestServer;

  const start = async (options?: Partial<ViewerServerOptions>): Promise<void> => {
    running = await TestServer.start(options);
  };
  afterEach(() => running.close());
  const ask = (path: string, question?: Question): Promise<Answer> => running.ask(path, question);
  const send = (...spans: TestSpan[]): Promise<Answer> => running.send(...spans);

  describe("answers Jaeger's query API", () => {
    it('lists services and operations, searches, and draws dependencies', async () => {
      await start();
      // All of it has ended by now: a search looks no further.
      const now = Date.now() - 1000 - 1_790_000_000_000;
      await send(
        { id: '1', trace: 'f1', name: 'GET /', service: 'web', start: now, end: now + 20 },
        {
          id: '2',
          trace: 'f1',
          parent: '1',
          name: 'call',
          service: 'web',
          start: now + 1,
          end: now + 9,
        },
        {
          id: '3',
          trace: 'f1',
          parent: '2',
          kind: 2,
          name: 'served',
          service: 'api',
          start: now + 2,
          end: now + 8,
          failed: 'no',
          attributes: { n: 5 },
        },
        { id: '1', trace: 'f2', name: 'GET /', service: 'web', start: now + 50, end: now + 51 },
      );
      const get = async (path: string): Promise<any> => (await ask(`/api/${path}`)).json;
      assert.deepEqual(await get('services'), {
        data: ['api', 'web'],
        total: 2,
        limit: 0,
        offset: 0,
        errors: null,
      });
      assert.deepEqual((await get('services/web/operations')).data, ['GET /', 'call']);
      assert.deepEqual((await get('operations?service=api')).data, [
        { name: 'served', spanKind: 'server' },
      ]);
      const found = async (query: string): Promise<string[]> =>
        (await get(`traces?${query}`)).data.map(({ traceID }: { traceID: string }) =>
          traceID.slice(-2),
        );
      assert.deepEqual(await found('service=web'), ['f2', 'f1']);
      assert.deepEqual(await found('service=web&limit=1'), ['f2']);
      assert.deepEqual(await found('service=web&minDuration=10ms'), ['f1']);
      assert.deepEqual(await found('service=web&operation=call'), ['f1']);
      assert.deepEqual(await found('service=api&tags={"error":"true","n":"5"}'), ['f1']);
      assert.deepEqual(await found('service=web&tags={"error":"true"}'), []);
      assert.deepEqual(await found('service=web&tag=span.kind:client'), ['f1']);
      assert.deepEqual(await found(`service=web&traceID=f1&traceID=dead`), ['f1']);
      const calls = (await get('dependencies')).data;
      assert.deepEqual(calls, [
        { parent: 'web', child: 'web', callCount: 1 },
        { parent: 'web', child: 'api', callCount: 1 },
      ]);
      const from = new Date(Date.now() - 60_000).toISOString();
      const to = new Date(Date.now() + 60_000).toISOString();
      const v3 = await get(
        `v3/traces?query.service_name=web&query.start_time_min=${from}&query.start_time_max=${to}`,
      );
      assert.equal(v3.result.resourceSpans.length, 2);
      assert.deepEqual((await get('v3/services')).services, ['api', 'web']);
      assert.equal((await get('v3/operations?service=api')).operations[0].name, 'served');
      const transformed = await ask('/api/transform', {
        method: 'POST',
        body: JSON.stringify(otlp({ id: 'a' })),
      });
      assert.equal(transformed.json.data[0].spans.length, 1);
    });

    it('sums traces up for the search of its page, by all that a search asks for', async () => {
      await start();
      const now = Date.now() - 1000 - 1_790_000_000_000;
      const at = (from: number, to: number) => ({ start: now + from, end: now + to });
      await send(
        { id: '1', name: 'GET /', service: 'web', ...at(0, 20) },
        { id: '2', parent: '1', name: 'call', service: 'api', failed: 'no', ...at(1, 30) },
        { id: '3', trace: 'f1', parent: 'dead', name: 'alone', service: 'web', ...at(2, 8) },
      );
      const range = new URLSearchParams({
        'query.service_name': 'web',
        'query.start_time_min': new Date(Date.now() - 60_000).toISOString(),
        'query.start_time_max': new Date(Date.now() + 60_000).toISOString(),
      });
      const found = async (more: Record<string, string> = {}): Promise<any[]> => {
        const query = new URLSearchParams([...range, ...Object.entries(more)]);
        return (await ask(`/api/v3/trace-summaries?${query.toString()}`)).json.summaries;
      };
      const [alone, whole] = await found();
      assert.deepEqual(whole, {
        traceId: traceId('f0'),
        traceID: traceId('f0'),
        rootServiceName: 'web',
        rootOperationName: 'GET /',
        minStartTimeUnixNano: nanos(now),
        maxEndTimeUnixNano: nanos(now + 30),
        spanCount: 2,
        errorSpanCount: 1,
        orphanSpanCount: 0,
        services: [
          { name: 'api', spanCount: 1, errorSpanCount: 1 },
          { name: 'web', spanCount: 1, errorSpanCount: 0 },
        ],
      });
      assert.equal(alone.orphanSpanCount, 1);
      assert.equal((await found({ 'query.num_traces': '1' })).length, 1);
      assert.equal((await found({ 'query.span_name': 'GET /' }))[0].traceId, traceId('f0'));
      assert.deepEqual(await found({ 'query.attributes': '{"error":"true"}' }), []);
    });

    it('answers errors in the form that Jaeger gives them', async () => {
      await start();
      const cases: [string, number, RegExp][] = [
        ['/api/traces', 400, /parameter 'service' is required/],
        ['/api/traces?service=x&limit=many', 400, /unable to parse param 'limit'/],
        ['/api/traces?service=x&minDuration=5', 400, /unable to parse param 'minDuration'/],
        ['/api/traces?service=x&minDuration=5s&maxDuration=1s', 400, /should be greater/],
        ['/api/traces?service=x&tags=[', 400, /malformed 'tags'/],
        ['/api/traces?service=x&tag=y', 400, /malformed 'tag'/],
        ['/api/traces/xyz', 400, /hexadecimal/],
        ['/api/traces/abc', 404, /trace not found/],
        ['/api/operations', 400, /'service' is required/],
        ['/api/metrics/calls', 501, /disabled/],
        ['/api/v3/traces/abc', 404, /trace not found/],
        ['/api/v3/traces?query.service_name=x', 400, /start_time_min/],
        ['/api/services/%zz/operations', 400, /malformed/],
      ];
      for (const [path, status, message] of cases) {
        const answer = await ask(path);
        assert.equal(answer.status, status, path);
        const { errors, error } = answer.json;
        assert.match(errors?.[0].msg ?? error.message, message, path);
      }
    });
  });
});
