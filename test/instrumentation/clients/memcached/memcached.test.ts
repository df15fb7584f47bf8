import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type Server, type Socket } from 'node:net';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import type Memcached from 'memcached';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { registerMeasurements } from '../../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { memcachedForms } from './forms.ts';

const require = createRequire(import.meta.url);
const load = (): typeof Memcached => require('memcached') as typeof Memcached;

describe('memcached', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let client: Memcached;

  before(async function () {
    url = await requireService(this, 'memcached');
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
    [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/memcached',
    ) as [Instrumentation];
    instrumentation.enable();
    client = new (load())(url.replace('memcached://', ''), { poolSize: 1 });
  });

  afterEach(() => {
    client.end();
    instrumentation.disable();
  });

  it('records a call as one CLIENT span with its command and key', async () => {
    await called((done) => client.set('clew:a', 'secret-value', 10, done));
    const span = telemetry.onlySpan();
    const { port, host } = new URL(url.replace('memcached:', 'http:'));
    const { 'clew.pool.wait.ms': wait, ...attributes } = span.attributes;
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.equal(span.name, `set ${host}`);
    // The connection was opened for it.
    assert.equal(typeof wait, 'number');
    assert.deepEqual(attributes, {
      'db.system.name': 'memcached',
      'db.operation.name': 'set',
      'db.query.text': 'set clew:a ?',
      'server.address': '127.0.0.1',
      'server.port': Number(port),
    });
  });

  it('reports which of several servers a call went to, and none where it went to all', async () => {
    const host = url.replace('memcached://', '');
    const both = new (load())([host, host.replace('127.0.0.1', 'localhost')], {});
    await called((done) => both.get('clew:a', done));
    await called((done) => both.version(done));
    const [get, version, ...others] = telemetry.spans();
    assert.equal(others.length, 0);
    assert.match(get?.name ?? '', /^get (?:127\.0\.0\.1|localhost):\d+$/);
    assert.match(String(get?.attributes['server.address']), /^(?:127\.0\.0\.1|localhost)$/);
    assert.equal(version?.name, 'version');
    assert.equal(version?.attributes['server.address'], undefined);
    both.end();
  });

  it('shows no value, of whatever form', async () => {
    for (const setting of memcachedForms.settings.slice(0, 2)) {
      const opened = await setting.open(url);
      for (const form of setting.forms) await form.run(opened.target, () => undefined);
      await opened.close();
    }
    assert.ok(telemetry.spans().length > 50);
    for (const { name, attributes, status, events } of telemetry.spans()) {
      assert.doesNotMatch(JSON.stringify([name, attributes, status, events]), /secret|4242424242/);
    }
  });

  it('records how a call failed', async () => {
    await called((done) => client.set('clew:kept', 'secret-value', 10, done));
    await called((done) => client.add('clew:kept', 'secret-value', 10, done));
    await called((done) => client.incr('clew:kept', 1, done));
    await called((done) => client.get('not a key', done));
    assert.deepEqual(
      telemetry.spans().map(({ status, attributes }) => [status.code, attributes['error.type']]),
      [
        [SpanStatusCode.UNSET, undefined],
        [SpanStatusCode.ERROR, 'NOT_STORED'],
        [SpanStatusCode.ERROR, 'Error'],
        [SpanStatusCode.ERROR, 'Error'],
      ],
    );
  });

  it('measures durations, waits, and the connections in use', async () => {
    const measure = registerMeasurements();
    await called((done) => client.get('clew:a', done));
    await called((done) => client.get('clew:b', done));
    const [duration] = await measure('db.client.operation.duration');
    assert.equal((duration?.value as Histogram | undefined)?.count, 2);
    assert.equal(duration?.attributes['db.query.text'], undefined);
    const [wait] = await measure('db.client.connection.wait_time');
    assert.equal((wait?.value as Histogram | undefined)?.count, 2);
    const answered = called((done) => client.get('clew:c', done));
    const counts = await measure('db.client.connection.count');
    assert.equal(
      counts.reduce((sum, { value }) => sum + Number(value), 0),
      1,
    );
    const [max] = await measure('db.client.connection.max');
    assert.equal(max?.value, 1);
    await answered;
  });

  it('leaves alone what is refused before it is sent, and what has no callback', async () => {
    await called((done) =>
      client.get('clew:a', async (error: unknown) => {
        done(error);
      }),
    );
    client.get('clew:a', undefined as never);
    assert.equal(telemetry.spans().length, 0);
  });

  it('is instrumented by hand, and no longer after that is undone', async () => {
    instrumentation.disable();
    const undo = instrumentation.instrument({ default: load() });
    await called((done) => client.get('clew:a', done));
    undo();
    await called((done) => client.get('clew:a', done));
    telemetry.onlySpan();
  });

  describe('at a server that fails (stand-in)', () => {
    let server: Server;
    let answer: (socket: Socket) => void;
    let failing: Memcached;

    beforeEach(async () => {
      server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => answer(socket));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      failing = new (load())(`127.0.0.1:${port}`, { poolSize: 1, retries: 0 });
    });

    afterEach(async () => {
      failing.end();
      server.close();
      await once(server, 'close');
    });

    it('ends a call whose connection ends, of which the client reports nothing', async () => {
      answer = (socket) => socket.end();
      const measure = registerMeasurements();
      failing.get('clew:a', () => assert.fail('the client has learnt to say it'));
      const durations = async (): Promise<unknown[]> => measure('db.client.operation.duration');
      while ((await durations()).length === 0) await new Promise(setImmediate);
      assert.equal(telemetry.onlySpan().attributes['error.type'], 'connection_closed');
    });

    it('records a refusal that the client keeps quiet about', async () => {
      answer = (socket) => socket.write('SERVER_ERROR secret-value\r\n');
      await called((done) => failing.set('clew:a', 'secret-value', 10, done));
      const { attributes, status } = telemetry.onlySpan();
      assert.equal(attributes['db.response.status_code'], 'SERVER_ERROR');
      assert.doesNotMatch(JSON.stringify([attributes, status]), /secret/);
    });
  });
});
