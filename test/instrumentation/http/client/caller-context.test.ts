import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import type net from 'node:net';

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { asCaller, Bench, caller, TestServer } from './support.ts';
import { isCollected } from '../../../support/collected.ts';

const REQUEST_EVENTS = [
  'socket',
  'finish',
  'continue',
  'information',
  'response',
  'timeout',
  'abort',
  'error',
  'close',
  'upgrade',
  'connect',
];
const RESPONSE_EVENTS = ['data', 'end', 'close', 'aborted', 'error', 'timeout'];

/** What a caller's listeners saw: each event with the caller whose context was active. */
type Seen = [string, unknown][];

function listen(request: ClientRequest): { seen: Seen; closed: Promise<unknown> } {
  const seen: Seen = [];
  for (const event of REQUEST_EVENTS) {
    request.on(event, (first?: IncomingMessage) => {
      seen.push([event, caller()]);
      if (event === 'response') {
        for (const each of RESPONSE_EVENTS) {
          first?.on(each, () => seen.push([`response ${each}`, caller()]));
        }
      }
    });
  }
  return { seen, closed: new Promise((resolve) => request.on('close', resolve)) };
}

function assertOwn(who: string, seen: Seen, expected: readonly string[]): void {
  for (const [event, active] of seen) assert.equal(active, who, `${event} of ${who}`);
  const names = new Set(seen.map(([event]) => event));
  for (const event of expected) assert.ok(names.has(event), `${who} had no ${event}`);
}

describe('the context of outgoing requests of node:http', () => {
  let bench: Bench;
  let server: TestServer;
  let agent: http.Agent;
  let parallel: http.Agent;

  beforeEach(async () => {
    bench = new Bench();
    server = await TestServer.start((request, response) => {
      request.resume();
      if (request.url === '/never') return;
      if (request.url === '/hang') response.write('a');
      else if (request.url === '/torn') {
        response.write('a');
        setTimeout(() => response.destroy(), 20);
      } else {
        if (request.url === '/early') response.writeEarlyHints({ link: '</a>; rel=preload' });
        response.write('hel');
        setTimeout(() => response.end('lo'), 5);
      }
    });
    server.server.on('checkContinue', (request: IncomingMessage, response: http.ServerResponse) => {
      response.writeContinue();
      request.resume();
      response.end('hello');
    });
    for (const event of ['upgrade', 'connect']) {
      server.server.on(event, (_: unknown, socket: net.Socket) => {
        socket.on('error', () => undefined).on('end', () => socket.destroy());
        const line = event === 'connect' ? '200 OK' : '101 Switching Protocols';
        socket.write(`HTTP/1.1 ${line}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
      });
    }
    agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    parallel = new http.Agent({ keepAlive: true });
  });

  afterEach(async () => {
    agent.destroy();
    parallel.destroy();
    await server.stop();
    bench.stop();
  });

  /** Three callers that want the same connection at once, then three one after the other. */
  async function threeCallers(
    make: () => ClientRequest,
    expected: readonly string[],
    act: (request: ClientRequest) => void = () => undefined,
  ): Promise<void> {
    const one = async (who: string): Promise<void> => {
      const { seen, closed } = asCaller(who, () => {
        const request = make();
        const heard = listen(request);
        act(request);
        return heard;
      });
      await closed;
      await new Promise((resolve) => setTimeout(resolve, 5));
      assertOwn(who, seen, expected);
    };
    await Promise.all(['A', 'B', 'C'].map((who) => one(who)));
    for (const who of ['D', 'E', 'F']) await one(who);
  }

  const to = (path: string, options: http.RequestOptions = {}): http.RequestOptions => ({
    host: '127.0.0.1',
    port: server.port,
    path,
    agent,
    ...options,
  });

  it('is the caller’s in every event of a response', () =>
    threeCallers(
      () => http.get(to('/')),
      ['socket', 'finish', 'response', 'close', 'response data', 'response end', 'response close'],
    ));

  it('is the caller’s in a response that is read by hand', async () => {
    const seen: unknown[] = [];
    const one = (who: string): Promise<unknown> =>
      asCaller(who, () => {
        const request = http.get(to('/'));
        request.on('response', (response) => {
          response.on('readable', () => seen.push([who, caller()], response.read()));
        });
        return new Promise((resolve) => request.on('close', resolve));
      });
    await Promise.all(['A', 'B', 'C'].map((who) => one(who)));
    const pairs = seen.filter((each) => Array.isArray(each));
    assert.ok(pairs.length >= 6);
    for (const [who, active] of pairs) assert.equal(active, who);
  });

  it('is the caller’s in what comes before the response', () =>
    threeCallers(() => http.get(to('/early')), ['information', 'response']));

  it('is the caller’s when a server lets it go on', () =>
    threeCallers(
      () => http.request(to('/', { method: 'POST', headers: { expect: '100-continue' } })),
      ['continue', 'response'],
      (request) => void request.end('x'),
    ));

  it('is the caller’s where the connection is torn off', () =>
    threeCallers(
      () => http.get(to('/torn')),
      ['response', 'response error', 'response aborted', 'close'],
    ));

  it('is the caller’s where a request times out and is given up', () =>
    threeCallers(
      () => http.get(to('/never', { timeout: 20 })),
      ['timeout', 'error', 'close'],
      // Whoever gives up is somebody else.
      (request) => request.once('timeout', () => asCaller('Z', () => request.destroy())),
    ));

  it('is the caller’s where a response times out', () =>
    threeCallers(
      () => http.get(to('/hang', { timeout: 100, agent: parallel })),
      ['response', 'response timeout', 'response error', 'close'],
      (request) => request.on('timeout', () => request.destroy()),
    ));

  it('is the caller’s where no connection can be made', () =>
    threeCallers(() => http.get({ host: '127.0.0.1', port: 1, agent }), ['error', 'close']));

  it('is the caller’s where a connection is upgraded, and where it is a tunnel', async () => {
    const headers = { connection: 'upgrade', upgrade: 'x' };
    const leave = (event: string) => (request: ClientRequest) =>
      request.on(event, (_: unknown, socket: net.Socket) => socket.destroy());
    await threeCallers(
      () => http.get(to('/', { headers })),
      ['upgrade', 'close'],
      leave('upgrade'),
    );
    await threeCallers(
      () => http.request(to('a:1', { method: 'CONNECT' })).end(),
      ['connect', 'close'],
      leave('connect'),
    );
  });

  it('is the one that the application entered for listeners it adds there', async () => {
    const seen: unknown[] = [];
    await asCaller('A', async () => {
      const request = http.get(to('/'));
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      asCaller('B', () => {
        response.on('data', () => seen.push(caller()));
        response.once('end', () => seen.push(caller()));
      });
      response.on('end', () => seen.push(caller()));
      await once(response, 'close');
    });
    assert.deepEqual(seen, ['B', 'B', 'B', 'A']);
  });

  it('leaves events alone that the application emits', async () => {
    const seen: unknown[] = [];
    const request = asCaller('A', () => http.get(to('/')));
    request.on('mine', () => seen.push(caller()));
    asCaller('B', () => request.emit('mine'));
    request.on('response', (response) => response.resume());
    await new Promise((resolve) => request.on('close', resolve));
    assert.deepEqual(seen, ['B']);
  });

  it('is the caller’s in listeners of the socket', async () => {
    const seen: unknown[] = [];
    for (const who of ['A', 'B']) {
      await asCaller(who, async () => {
        const request = http.get(to('/'));
        request.once('socket', (socket) => {
          socket.once('connect', () => seen.push(`connect ${String(caller())}`));
          socket.once('data', () => seen.push(`data ${String(caller())}`));
        });
        request.on('response', (response) => response.resume());
        await new Promise((resolve) => request.on('close', resolve));
      });
    }
    assert.deepEqual(seen, ['connect A', 'data A', 'data B']);
  });

  for (const [title, agentTimeout, timeout] of [
    ['without timeouts', undefined, undefined],
    ['with a timeout of the request', undefined, 5000],
    ['with timeouts that are the same', 3000, 3000],
  ] as const) {
    it(`is not kept by a connection that is idle, ${title}`, async () => {
      agent.destroy();
      agent = new http.Agent({ keepAlive: true, ...(agentTimeout && { timeout: agentTimeout }) });
      const gone = await keptBy(async () => {
        const request = http.get(to('/', { ...(timeout && { timeout }) }));
        request.on('response', (response) => response.resume());
        await new Promise((resolve) => request.on('close', resolve));
      });
      const [idle] = Object.values(agent.freeSockets);
      assert.equal(idle?.length, 1, 'no idle connection');
      assert.equal(idle[0]?.timeout, agentTimeout ?? 0);
      assert.ok(gone);
    });
  }

  /** Whether the contexts of three requests, one after the other, were collected. */
  async function keptBy(send: () => Promise<void>): Promise<boolean> {
    const key = createContextKey('kept');
    const refs: WeakRef<object>[] = [];
    for (let turn = 0; turn < 3; turn++) {
      let value: object | undefined = { large: true };
      refs.push(new WeakRef(value));
      await context.with(ROOT_CONTEXT.setValue(key, value), send);
      value = undefined;
      // The connection is free a moment after the request is closed.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return isCollected(...refs);
  }
});
