import assert from 'node:assert/strict';
import { createServer, request as makeRequest, type ServerResponse } from 'node:http';

import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { activePath, get, RawClient, serving, setUp, turns, until, type Setup } from './support.ts';

describe('the end of a request', () => {
  let setup: Setup;
  beforeEach(() => (setup = setUp()));
  afterEach(() => setup.stop());

  const summary = ({ attributes, status }: ReadableSpan): unknown[] => [
    attributes['url.path'],
    attributes['http.response.status_code'],
    attributes['error.type'],
    status.code,
  ];

  it('comes once the response is sent, after the listeners of `finish`', async () => {
    let end = (): void => undefined;
    await serving(
      (_request, response) => {
        response.on('finish', () => {
          assert.deepEqual(setup.spans(), []);
          assert.equal(activePath(), '/slow');
        });
        response.write('begun');
        end = () => void response.end('done');
      },
      async (port) => {
        const client = new RawClient(port).send(get('/slow'));
        await client.receives('begun');
        await turns(3);
        assert.deepEqual(setup.openSpans(), ['GET']);
        await new Promise((resolve) => setTimeout(resolve, 30));
        end();
        await client.receives('done');
        client.close();
        const { duration } = await setup.request();
        assert.ok(duration[0] > 0 || duration[1] > 25e6, String(duration));
      },
    );
  });

  it('comes for each request of a connection that is kept alive', async () => {
    await serving(
      (request, response) => response.end(request.url),
      async (port) => {
        const client = new RawClient(port);
        for (const path of ['/1', '/2', '/3']) await client.send(get(path)).receives(path);
        const spans = await setup.requests(3);
        assert.deepEqual(
          spans.map((span) => span.attributes['url.path']),
          ['/1', '/2', '/3'],
        );
        assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 3);
        client.close();
      },
    );
  });

  it('comes for each of pipelined requests, in its own context', async () => {
    const seen: unknown[] = [];
    await serving(
      (request, response) => {
        const { url } = request;
        const note = (event: string): void => void seen.push([url, event, activePath()]);
        response.on('finish', () => note('finish')).on('close', () => note('close'));
        response.on('drain', () => note('drain'));
        request.on('end', () => note('end')).resume();
        // The last one is answered first.
        setTimeout(() => response.end(`${url}.`), 40 - 10 * Number(url?.slice(2)));
      },
      async (port) => {
        const client = new RawClient(port).send(get('/p1') + get('/p2') + get('/p3'));
        const received = await client.receives('/p3.');
        assert.deepEqual(received.match(/\/p\d\./g), ['/p1.', '/p2.', '/p3.']);
        await setup.requests(3);
        client.close();
      },
    );
    assert.equal(seen.length, 9);
    for (const [url, event, path] of seen as string[][]) assert.equal(path, url, event);
  });

  it('is the loss of the connection where the client goes away', async () => {
    const begun: ServerResponse[] = [];
    await serving(
      (request, response) => {
        if (request.url === '/begun') response.write('begun');
        begun.push(response);
      },
      async (port) => {
        for (const path of ['/waiting', '/begun']) {
          const client = new RawClient(port).send(get(path));
          await until(
            () => begun.length === (path === '/begun' ? 2 : 1),
            () => path,
          );
          if (path === '/begun') await client.receives('begun');
          client.close();
          await until(
            () => setup.spans().length === begun.length,
            () => `the end of ${path}`,
          );
        }
        assert.deepEqual((await setup.requests(2)).map(summary), [
          ['/waiting', undefined, 'aborted', SpanStatusCode.ERROR],
          ['/begun', 200, 'aborted', SpanStatusCode.ERROR],
        ]);
      },
    );
  });

  it('is the loss of the connection for all that wait on it', async () => {
    let begun = 0;
    await serving(
      (request) => {
        begun++;
        request.resume();
      },
      async (port) => {
        const client = new RawClient(port).send(get('/1') + get('/2') + get('/3'));
        await until(
          () => begun === 3,
          () => 'three requests',
        );
        await turns(5);
        client.close();
        const spans = await setup.requests(3);
        assert.deepEqual(
          spans.map(summary),
          ['/1', '/2', '/3'].map((path) => [path, undefined, 'aborted', SpanStatusCode.ERROR]),
        );
      },
    );
  });

  it('reports where the server gave up', async () => {
    await serving(
      (request, response) => response.socket?.destroy(),
      async (port) => {
        const client = new RawClient(port).send(get('/given-up'));
        assert.deepEqual(summary(await setup.request()), [
          '/given-up',
          undefined,
          'destroyed',
          SpanStatusCode.ERROR,
        ]);
        client.close();
      },
    );
  });

  it('comes once for `Expect: 100-continue`, with and without a listener', async () => {
    for (const listens of [false, true]) {
      setup.reset();
      const server = createServer((request, response) => {
        request.resume().on('end', () => {
          assert.equal(activePath(), '/expecting');
          response.end('done');
        });
      });
      if (listens) {
        server.on('checkContinue', (request, response) => {
          assert.equal(activePath(), '/expecting');
          response.writeContinue();
          server.emit('request', request, response);
        });
      }
      await serving(server, async (port) => {
        const client = new RawClient(port).send(
          'POST /expecting HTTP/1.1',
          'Host: test',
          'Expect: 100-continue',
          'Content-Length: 4',
          '',
          '',
        );
        await client.receives('100 Continue');
        client.send('body');
        await client.receives('done');
        client.close();
        assert.deepEqual(summary(await setup.request()), ['/expecting', 200, undefined, 0]);
      });
    }
  });

  it('comes after trailers of both sides', async () => {
    await serving(
      (request, response) => {
        request.resume().on('end', () => {
          response.writeHead(200, { Trailer: 'x-sum' });
          response.write(String(request.trailers['x-sum']));
          response.addTrailers({ 'x-sum': '2' });
          response.end();
        });
      },
      async (port) => {
        const client = new RawClient(port).send(
          'POST /trailers HTTP/1.1',
          'Host: test',
          'Transfer-Encoding: chunked',
          'Trailer: x-sum',
          '',
          '1',
          'a',
          '0',
          'x-sum: 1',
          '',
          '',
        );
        await client.receives('x-sum: 2');
        client.close();
        assert.deepEqual(summary(await setup.request()), ['/trailers', 200, undefined, 0]);
      },
    );
  });

  describe('of an upgrade', () => {
    const UPGRADE = get('/socket', 'Connection: Upgrade', 'Upgrade: test');

    it('is the answer that the application writes', async () => {
      const server = createServer();
      server.on('upgrade', (request, socket) => {
        assert.equal(activePath(), '/socket');
        setTimeout(() => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n');
          assert.equal(Object.hasOwn(socket, 'write'), false);
          socket.on('data', (data) => socket.write(data));
        }, 5);
      });
      await serving(server, async (port) => {
        const client = new RawClient(port).send(UPGRADE);
        await client.receives('101');
        assert.deepEqual(summary(await setup.request()), ['/socket', 101, undefined, 0]);
        await client.send('echo').receives('echo');
        client.close();
        await setup.requests(1);
      });
    });

    it('is a refusal', async () => {
      const server = createServer();
      server.on('upgrade', (_request, socket) =>
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'),
      );
      await serving(server, async (port) => {
        const client = new RawClient(port).send(UPGRADE);
        await client.receives('401');
        assert.deepEqual(summary(await setup.request()), ['/socket', 401, undefined, 0]);
        client.close();
      });
    });

    it('is the loss of the connection where nothing was answered', async () => {
      const server = createServer();
      let begun = false;
      server.on('upgrade', (_request, socket) => {
        begun = true;
        socket.resume();
        socket.on('error', () => undefined);
      });
      await serving(server, async (port) => {
        const client = new RawClient(port).send(UPGRADE);
        await until(
          () => begun,
          () => 'the upgrade',
        );
        client.socket.resetAndDestroy();
        const [path, status, error] = summary(await setup.request());
        assert.deepEqual([path, status, error], ['/socket', undefined, 'aborted']);
      });
    });

    it('is that of an ordinary request where the server does not upgrade it', async () => {
      await serving(
        (_request, response) => response.end('plain'),
        async (port) => {
          const client = new RawClient(port).send(UPGRADE);
          await client.receives('plain');
          client.close();
          assert.deepEqual(summary(await setup.request()), ['/socket', 200, undefined, 0]);
        },
      );
    });

    it('is that of a tunnel', async () => {
      const server = createServer();
      server.on('connect', (_request, socket) => {
        socket.write(Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n'));
        socket.on('data', (data) => socket.write(data));
      });
      await serving(server, async (port) => {
        const client = makeRequest({ port, method: 'CONNECT', path: 'example.com:443' }).end();
        const socket = await new Promise<import('node:net').Socket>((resolve) =>
          client.on('connect', (_response, found: import('node:net').Socket) => resolve(found)),
        );
        const span = await setup.request();
        assert.equal(span.name, 'CONNECT');
        assert.deepEqual(summary(span), [undefined, 200, undefined, 0]);
        socket.destroy();
      });
    });

    it('is not waited for where it is not read', async () => {
      await serving(createServer(), async (port) => {
        const client = makeRequest({ port, method: 'CONNECT', path: 'example.com:443' }).end();
        await new Promise((resolve) => client.on('error', resolve));
        await setup.requests(0);
        assert.deepEqual(setup.openSpans(), []);
      });
    });
  });
});
