import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { JaegerQuery, kinshipFaultsOf, type JaegerSpan } from './jaeger-query.ts';

/*
 * A stand-in for Jaeger's query API, because these tests have to run where there is no Jaeger: they
 * show that what `demo-in-jaeger.test.ts` asserts can fail.
 */
describe('JaegerQuery, against a stand-in', () => {
  let server: Server;
  let jaeger: JaegerQuery;
  let spans: JaegerSpan[];
  let warnings: string[] | null;

  beforeEach(async () => {
    let requests = 0;
    warnings = null;
    spans = [
      { traceId: 't', spanId: 'a', name: 'GET', kind: 2 },
      { traceId: 't', spanId: 'b', parentSpanId: 'a', name: 'SELECT', kind: 3 },
    ];
    server = createServer((request, response) => {
      requests += 1;
      if (request.url?.startsWith('/api/v3/') && requests === 1) {
        // Jaeger answers 404 until the first span is stored.
        response.writeHead(404).end('{}');
        return;
      }
      response.end(
        JSON.stringify(
          request.url?.startsWith('/api/v3/')
            ? { result: { resourceSpans: [{ scopeSpans: [{ spans }] }] } }
            : { data: [{ spans: [{ spanID: 'b', operationName: 'SELECT', warnings }] }] },
        ),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    jaeger = new JaegerQuery(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('waits until the trace is there', async () => {
    assert.equal((await jaeger.waitForTrace('t', 2)).size, 2);
  });

  it('gives up after its time, saying how many spans there were', async () => {
    await assert.rejects(jaeger.waitForTrace('t', 3, 300), /has 2 of 3 spans of t after 300 ms/);
  });

  it('finds an orphan, a second root and a root that is no server span', async () => {
    assert.deepEqual(kinshipFaultsOf(await jaeger.waitForTrace('t', 2)), []);
    spans.push({ traceId: 't', spanId: 'c', parentSpanId: 'gone', name: 'lost', kind: 3 });
    spans.push({ traceId: 't', spanId: 'd', name: 'stray', kind: 3 });
    assert.deepEqual(kinshipFaultsOf(await jaeger.waitForTrace('t', 4)), [
      '2 roots',
      'the root stray is no SERVER span',
      'lost is an orphan',
    ]);
  });

  it('collects warnings', async () => {
    assert.deepEqual(await jaeger.warningsOf('t'), []);
    warnings = ['clock skew adjustment disabled'];
    assert.deepEqual(await jaeger.warningsOf('t'), ['SELECT: clock skew adjustment disabled']);
  });
});
