import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  get,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

import { runAsOwner, ResourceOwner } from '../../src/tracer/owner.ts';
import { HttpRequests } from '../../src/tracer/request-source.ts';

describe('HttpRequests', () => {
  let server: Server;
  let stop: (() => void) | undefined;
  const ended: string[] = [];
  const source = new HttpRequests();

  const serve = async (listener: RequestListener): Promise<void> => {
    ended.length = 0;
    stop = source.start({ begin: () => undefined, end: (owner) => ended.push(owner.label) });
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
  };
  const request = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
        response.resume().on('end', resolve);
      }).on('error', reject);
    });

  afterEach(async () => {
    stop?.();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('ends each of many requests at once, in whatever order they are answered', async () => {
    const waiting: ServerResponse[] = [];
    let open = 0;
    await serve((_request, response) => {
      waiting.push(response);
      if (waiting.length < 5) return;
      open = source.size;
      for (const at of [2, 0, 4, 1, 3]) waiting[at]?.end();
    });
    const paths = ['/a', '/b', '/c', '/d', '/e'];
    await Promise.all(paths.map(request));
    assert.equal(open, 5);
    assert.deepEqual(
      ended.toSorted(),
      paths.map((path) => `GET ${path}`),
    );
    assert.equal(source.size, 0);
  });

  it('finds the request of a response that is ended in the context of another', async () => {
    const stranger = new ResourceOwner('a job', 0);
    await serve((_request, response) => void runAsOwner(stranger, () => response.end()));
    await request('/mine');
    assert.deepEqual([ended, stranger.ended], [['GET /mine'], false]);
  });

  it('forgets what is in flight when it is stopped', async () => {
    let answer: ServerResponse | undefined;
    await serve((_request, response) => {
      answer = response;
      stop?.();
      response.end();
    });
    await request('/late');
    assert.ok(answer);
    assert.deepEqual([source.size, ended], [0, []]);
  });
});
