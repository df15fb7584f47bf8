import assert from 'node:assert/strict';

import { trace } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';

import { serverRequestOf } from '../../../../src/instrumentation/http/server/server-request.ts';
import { registerMeasurements, type Measure } from '../../support/measurements.ts';
import { get, RawClient, serving, setUp, until, type Setup } from './support.ts';

const DURATION = 'http.server.request.duration';
const ACTIVE = 'http.server.active_requests';

describe('metrics of HTTP servers', () => {
  let setup: Setup;
  let measure: Measure;
  beforeEach(() => {
    measure = registerMeasurements();
    setup = setUp();
  });
  afterEach(() => setup.stop());

  const ask = async (port: number, path: string, answer: string): Promise<void> => {
    const client = new RawClient(port).send(get(path));
    await client.receives(answer);
    client.close();
  };

  it('have the route, the status and the type of an error', async () => {
    await serving(
      (request, response) => {
        serverRequestOf(request)?.setRoute('/users/:id');
        response.writeHead(request.url === '/users/2' ? 500 : 200).end('done.');
      },
      async (port) => {
        for (const id of [1, 2, 3]) await ask(port, `/users/${id}`, 'done.');
        await setup.requests(3);
      },
    );
    const common = {
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'http.route': '/users/:id',
    };
    const points = await measure(DURATION);
    assert.deepEqual(
      points.map(({ attributes }) => attributes),
      [
        { ...common, 'http.response.status_code': 200 },
        { ...common, 'http.response.status_code': 500, 'error.type': '500' },
      ],
    );
    const [ok] = points.map(({ value }) => value as Histogram);
    assert.equal(ok?.count, 2);
    assert.ok((ok?.sum ?? -1) > 0 && (ok?.sum ?? 9) < 5, 'in seconds');
    assert.deepEqual(ok?.buckets.boundaries.slice(0, 3), [0.005, 0.01, 0.025]);
  });

  it('are the duration of the span', async () => {
    await serving(
      (_request, response) => response.end('done.'),
      (port) => ask(port, '/', 'done.'),
    );
    const { duration } = await setup.request();
    const [point] = await measure(DURATION);
    assert.equal((point?.value as Histogram | undefined)?.sum, duration[0] + duration[1] / 1e9);
  });

  it('count what is under way', async () => {
    const waiting: (() => void)[] = [];
    await serving(
      (_request, response) => void waiting.push(() => response.end('done.')),
      async (port) => {
        const clients = ['/1', '/2', '/3'].map((path) => new RawClient(port).send(get(path)));
        await until(
          () => waiting.length === 3,
          () => 'three requests',
        );
        const attributes = { 'http.request.method': 'GET', 'url.scheme': 'http' };
        assert.deepEqual(await measure(ACTIVE), [{ attributes, value: 3 }]);
        clients[0]?.close();
        await setup.requests(1);
        for (const answer of waiting) answer();
        await setup.requests(3);
        assert.deepEqual(await measure(ACTIVE), [{ attributes, value: 0 }]);
        for (const client of clients) client.close();
      },
    );
  });

  it('are measured where there are no spans, of the route that was set', async () => {
    trace.disable();
    await serving(
      (request, response) => {
        serverRequestOf(request)?.setRoute('/a');
        response.end('done.');
      },
      (port) => ask(port, '/a', 'done.'),
    );
    const [point] = await measure(DURATION);
    assert.equal(point?.attributes['http.route'], '/a');
    assert.deepEqual(setup.spans(), []);
  });

  it('keep the words of strangers out', async () => {
    await serving(
      (_request, response) => response.end('done.'),
      async (port) => {
        const client = new RawClient(port).send('PROPFIND / HTTP/1.1', 'Host: x', '', '');
        await client.receives('done.');
        client.close();
        await setup.requests(1);
      },
    );
    const [point] = await measure(DURATION);
    assert.equal(point?.attributes['http.request.method'], '_OTHER');
  });
});
