import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { requireService } from '../support/services.ts';

interface SeenSpan {
  name: string;
  spanId: string;
  attributes: Record<string, number | string>;
  links: string[];
  millis: number;
}

const SERVER = fileURLToPath(new URL('./fixtures/waits-server.js', import.meta.url));
const LOOKUP_MILLIS = 80;

describe('SplitSpanProcessor, on a server with known waits', function () {
  this.timeout(120_000);
  let server: ChildProcess;
  let names: Socket;
  let base: string;

  before(async function () {
    const url = await requireService(this, 'postgresql');
    names = await slowNameServer();
    const { port } = names.address();
    server = fork(SERVER, {
      env: { ...process.env, DATABASE_URL: url, DNS_SERVER: `127.0.0.1:${port}` },
    });
    const [own] = (await once(server, 'message')) as [number];
    base = `http://127.0.0.1:${own}`;
    // The first of everything compiles code and opens connections.
    for (let round = 0; round < 5; round++) {
      await Promise.all(['/block?ms=5', '/idle?ms=1', '/query?ms=1', '/lookup'].map(get));
    }
    await seen();
  });

  after(async () => {
    names?.close();
    if (!server) return;
    server.kill();
    await once(server, 'exit');
  });

  const get = async (path: string): Promise<string> => (await fetch(base + path)).text();
  const seen = async (): Promise<SeenSpan[]> => JSON.parse(await get('/spans')) as SeenSpan[];
  const named = (spans: SeenSpan[], name: string): SeenSpan => {
    const span = spans.find((one) => one.name === name);
    assert.ok(span, `no span ${name} among ${spans.map((one) => one.name).join(', ')}`);
    return span;
  };
  const isNear = (actual: number | string | undefined, expected: number, what: string): void => {
    assert.ok(typeof actual === 'number', `${what} is missing`);
    const off = Math.abs(actual - expected) / expected;
    assert.ok(off <= 0.1, `${what}: ${actual} ms, expected ${expected} ms`);
  };
  const addsUp = (span: SeenSpan): void => {
    const parts = ['clew.run.ms', 'clew.wait.io.ms', 'clew.wait.loop.ms'];
    const sum = parts.reduce((total, name) => total + Number(span.attributes[name]), 0);
    isNear(sum, span.millis, `${span.name}, the sum of the parts`);
  };

  /**
   * Other programs on the machine make the waits longer than arranged; a wrong split is wrong in
   * every round.
   */
  const inOneOfManyRounds = async (round: () => Promise<void>): Promise<void> => {
    for (let left = 19; ; left--) {
      await seen();
      try {
        return await round();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  };

  it('charges an idle request with the 50 ms another held the loop, and names and links that one', () =>
    inOneOfManyRounds(async () => {
      await Promise.all([get('/idle?ms=150'), get('/block?ms=50')]);
      const spans = await seen();
      const idle = named(spans, 'GET /idle');
      const block = named(spans, 'GET /block');
      const held = Number(block.attributes['held']);
      isNear(block.attributes['clew.run.ms'], held, 'the run of the blocker');
      isNear(idle.attributes['clew.wait.loop.ms'], held, 'the wait for the loop');
      assert.equal(idle.attributes['clew.blocked_by'], 'GET /block');
      isNear(idle.attributes['clew.blocked_by.ms'], held, 'the time held by the blocker');
      assert.deepEqual(idle.links, [block.spanId]);
      const waited = Number(idle.attributes['waited']);
      assert.ok(waited >= 149);
      isNear(idle.attributes['clew.wait.io.ms'], waited - held, 'the idle wait');
      assert.equal(block.attributes['clew.blocked_by'], undefined);
      addsUp(idle);
      addsUp(block);
    }));

  it('finds a slow query to be waiting for I/O, in the request and in the database span', () =>
    inOneOfManyRounds(async () => {
      await get('/query?ms=120');
      const spans = await seen();
      const waited = Number(named(spans, 'GET /query').attributes['waited']);
      assert.ok(waited >= 119);
      for (const name of ['GET /query', 'SELECT']) {
        const span = named(spans, name);
        isNear(span.attributes['clew.wait.io.ms'], waited, `${name} waiting`);
        assert.equal(span.attributes['clew.blocked_by'], undefined);
        addsUp(span);
      }
    }));

  it('finds a slow name server to be waiting for I/O', () =>
    inOneOfManyRounds(async () => {
      await get('/lookup');
      const spans = await seen();
      isNear(named(spans, 'dns').attributes['clew.wait.io.ms'], LOOKUP_MILLIS, 'the lookup');
      addsUp(named(spans, 'GET /lookup'));
    }));

  it('finds the queue for a pool of one to be waiting for I/O, blamed on no request', () =>
    inOneOfManyRounds(async () => {
      await Promise.all([get('/query?ms=100'), get('/query?ms=100')]);
      const spans = (await seen()).filter((span) => span.name === 'GET /query');
      const [first, second] = spans
        .map((span) => Number(span.attributes['clew.wait.io.ms']))
        .sort((a, b) => a - b);
      isNear(first, 100, 'the query that found a connection');
      isNear(second, 200, 'the query that waited for it');
      for (const span of spans) assert.equal(span.attributes['clew.blocked_by'], undefined);
    }));

  it('charges a query with the time a request held the loop while the answer was there', () =>
    inOneOfManyRounds(async () => {
      await Promise.all([get('/query?ms=40'), get('/block?ms=60')]);
      const spans = await seen();
      const query = named(spans, 'SELECT');
      assert.equal(query.attributes['clew.blocked_by'], 'GET /block');
      addsUp(query);
    }));
});

/** Answers every question for an address after `LOOKUP_MILLIS`. */
async function slowNameServer(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const header = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 127, 0, 0, 1]);
    const end = question.indexOf(0, 12) + 5;
    const reply = Buffer.concat([
      question.subarray(0, 2),
      header,
      question.subarray(12, end),
      answer,
    ]);
    setTimeout(() => socket.send(reply, from.port, from.address), LOOKUP_MILLIS);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
