import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

import { HttpClientInstrumentation } from '../../../../src/instrumentation/http/client/index.ts';
import { assertNoDifference, type Scenario } from '../../support/differential.ts';
import { APIS, inOrder, TestServer } from './support.ts';

/** All three, enabled together. */
const instrumentation = {
  enable: (): void => {
    for (const one of all) one.enable();
  },
  disable: (): void => {
    for (const one of all.toReversed()) one.disable();
  },
};
let all: HttpClientInstrumentation[] = [];

const EVENTS = (
  'abort close connect continue drain error finish information newListener pipe removeListener response ' +
  'socket timeout unpipe upgrade'
).split(' ');
const RESPONSE_EVENTS = 'aborted close data end error pause readable resume timeout'.split(' ');

type Log = unknown[];

describe('an application that sends requests, with and without clew', () => {
  let server: TestServer;
  let fresh: http.Agent;

  beforeEach(async () => {
    all = APIS.map((api) => new HttpClientInstrumentation(api));
    server = await TestServer.start((request, response) => {
      request.resume();
      response.sendDate = false;
      switch (request.url) {
        case '/torn':
          response.write('a', () => response.destroy());
          break;
        case '/never':
          break;
        case '/whole':
          request.on('end', () => response.end('hello'));
          break;
        case '/bad':
          request.socket.end('nonsense\r\n\r\n');
          break;
        default:
          response.end('hello');
      }
    });
    server.server.on('checkContinue', (request: IncomingMessage, response: http.ServerResponse) => {
      response.sendDate = false;
      response.writeContinue();
      request.on('end', () => response.end('hello')).resume();
    });
  });

  afterEach(() => server.stop());

  /** Everything that can be seen of a request: events in order, listeners, headers. */
  async function observe(
    make: () => http.ClientRequest,
    act: (request: http.ClientRequest, log: Log) => void = () => undefined,
    hears = true,
  ): Promise<Log> {
    const log: Log = [];
    const from = server.heard.length;
    // As the global one is, and without connections that somebody else left.
    fresh = new http.Agent({ keepAlive: true, timeout: 5000 });
    const request = make();
    const mine = fresh;
    const listeners = (emitter: NodeJS.EventEmitter): Log =>
      emitter
        .eventNames()
        .map((event) => [
          String(event),
          emitter.listenerCount(event),
          emitter.listeners(event).map((each) => each.name),
          emitter.rawListeners(event).map((each) => each.name),
        ]);
    log.push('listeners', listeners(request));
    for (const event of EVENTS.filter((each) => !each.endsWith('Listener'))) {
      request.on(event, (...args: unknown[]) => {
        log.push([event, args.length, (args[0] as { code?: unknown } | undefined)?.code]);
        if (event === 'socket') log.push(listeners(args[0] as Socket));
        if (event !== 'response') return;
        const response = args[0] as IncomingMessage;
        log.push(response.statusCode, response.rawHeaders, listeners(response));
        for (const each of RESPONSE_EVENTS.filter((name) => name !== 'readable')) {
          response.on(each, (first: unknown) => {
            log.push([each, String(first), (first as { code?: unknown } | undefined)?.code]);
          });
        }
        log.push(listeners(response), inOrder(Object.keys(response)));
      });
    }
    act(request, log);
    await new Promise((resolve) => request.on('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 10));
    log.push(listeners(request), inOrder(Object.keys(request)));
    const { destroyed, reusedSocket, writableFinished, aborted } = request;
    log.push({ destroyed, reusedSocket, writableFinished, aborted });
    mine.destroy();
    for (const { method, url, rawHeaders } of server.heard.slice(from)) {
      // Of several at once, each would hear of all.
      if (!hears) break;
      log.push(
        method,
        url,
        rawHeaders.map((each) => each.replace(String(server.port), 'port')),
      );
    }
    return log;
  }

  const to = (path: string, options: http.RequestOptions = {}): http.RequestOptions => ({
    host: '127.0.0.1',
    port: server.port,
    path,
    agent: fresh,
    ...options,
  });

  const scenarios: Record<string, Scenario> = {
    get: () => observe(() => http.get(to('/a?b=c'))),
    'get with a callback': () => observe(() => http.get(to('/'), () => undefined)),
    'a body in pieces': () =>
      observe(
        () => http.request(to('/whole', { method: 'PUT' })),
        (request, log) => {
          request.write('a', () => log.push('written'));
          setTimeout(() => request.end('b', () => log.push('ended')), 5);
        },
      ),
    'headers in every form': async () => [
      await observe(() => http.get(to('/', { headers: { 'X-A': ['1', '2'], cookie: 'a=b' } }))),
      await observe(() => http.get(to('/', { headers: ['Host', 'x', 'X-A', '1'] as never }))),
    ],
    expect: () =>
      observe(
        () => http.request(to('/', { method: 'POST', headers: { expect: '100-continue' } })),
        (request) => request.on('continue', () => request.end('x')),
      ),
    'a connection that is torn off': () => observe(() => http.get(to('/torn'))),
    'nonsense for an answer': () => observe(() => http.get(to('/bad'))),
    'no connection': () => observe(() => http.get({ host: '127.0.0.1', port: 1 })),
    'a request that is given up': () =>
      observe(
        () => http.get(to('/never', { timeout: 150 })),
        (request) => request.on('timeout', () => request.destroy(new Error('late'))),
      ),
    'a request that is aborted at once': () =>
      observe(
        () => http.get(to('/never')),
        (request) => request.destroy(),
      ),
    'keep-alive': async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1, timeout: 2000 });
      const log = await Promise.all(
        ['/a', '/b', '/c'].map((path) =>
          observe(() => http.get(to(path, { agent })), undefined, false),
        ),
      );
      log.push(await observe(() => http.get(to('/d', { agent }))));
      const [[idle] = []] = Object.values(agent.freeSockets) as Socket[][];
      log.push([idle?.timeout, idle?.eventNames().map((each) => [each, idle.listenerCount(each)])]);
      agent.destroy();
      return log;
    },
    'a handle of which a method was replaced': async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const log: Log = [];
      const get = (): Promise<unknown> => observe(() => http.get(to('/', { agent })));
      type Reset = (this: unknown, resource: object) => void;
      agent.once('free', ({ _handle: handle }: { _handle: { asyncReset: Reset } }) => {
        const { asyncReset } = handle;
        handle.asyncReset = function (resource) {
          log.push(resource.constructor.name);
          asyncReset.call(this, resource);
        };
      });
      for (let turn = 0; turn < 3; turn++) log.push(await get());
      agent.destroy();
      return log;
    },
    'bad arguments': () =>
      [
        () => http.get({ path: '/a b' }),
        () => http.get({ method: 'A B' }),
        () => http.request('nonsense'),
        () => http.request({ protocol: 'x:' }),
      ].map((send) => {
        try {
          return send();
        } catch (error) {
          return [(error as NodeJS.ErrnoException).code, (error as Error).message];
        }
      }),
    'the looks of functions': () =>
      [
        http.request,
        http.get,
        http2.connect,
        // Looked at and not called.
        // oxlint-disable-next-line typescript/unbound-method
        http.ClientRequest.prototype.emit,
      ].map((each) => [each.name, each.length]),
    fetch: async () => {
      const log: Log = [];
      const from = server.heard.length;
      const response = await fetch(`${server.url}/f`, { method: 'POST', body: 'x' });
      log.push(response.status, [...response.headers], await response.text());
      for (const path of ['/torn', '/bad']) {
        try {
          log.push(await (await fetch(server.url + path)).text());
        } catch (error) {
          log.push([(error as Error).name, (error as Error).message]);
        }
      }
      for (const { rawHeaders } of server.heard.slice(from)) {
        log.push(rawHeaders.map((each) => each.replace(String(server.port), 'port')));
      }
      return log;
    },
    http2: async () => {
      const log: Log = [];
      const other = http2.createServer();
      other.on('stream', (...args: unknown[]) => {
        const [stream, headers] = args as [http2.ServerHttp2Stream, http2.IncomingHttpHeaders];
        log.push({ ...headers, ':authority': '' });
        stream.respond({ ':status': 200, date: '' });
        stream.end('hello');
      });
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const session = http2.connect(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
      const headers = Object.freeze({ ':path': '/a', 'x-a': 'b' });
      const stream = session.request(headers, { endStream: true });
      for (const event of ['ready', 'response', 'data', 'end', 'close', 'finish', 'aborted']) {
        stream.on(event, () => log.push([event, stream.listenerCount(event)]));
      }
      await new Promise((resolve) => stream.on('close', resolve));
      log.push(stream.rstCode, stream.eventNames());
      session.close();
      other.close();
      return log;
    },
  };

  const SPANS: Record<string, number> = {
    'headers in every form': 2,
    'keep-alive': 4,
    'a handle of which a method was replaced': 3,
    'bad arguments': 0,
    'the looks of functions': 0,
    fetch: 3,
  };

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`sees no difference: ${name}`, async () => {
      assert.equal(await assertNoDifference(scenario, instrumentation), SPANS[name] ?? 1);
    });
  }
});
