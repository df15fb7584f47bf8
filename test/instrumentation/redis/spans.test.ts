import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { Redis } from 'ioredis';
import { createClient, createClientPool } from 'redis';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { asCaller, asUnsampledCaller } from '../support/callers.ts';
import { registerMeasurements } from '../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';

const SECRET = 'secret-value';

describe('spans of Redis clients', () => {
  let url: string;
  let port: number;
  let telemetry: Telemetry;
  let instrumentations: Instrumentation[];

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'redis');
    port = Number(new URL(url).port);
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
    instrumentations = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => /^clew\/(?:io)?redis$/.test(instrumentationName),
    );
    for (const instrumentation of instrumentations) instrumentation.enable();
  });

  afterEach(() => {
    for (const instrumentation of instrumentations) instrumentation.disable();
  });

  const connected = async (options: object = {}): Promise<Redis> => {
    const redis = new Redis(url, options);
    await once(redis, 'ready');
    return redis;
  };

  const named = (span: ReadableSpan): unknown[] => [
    span.name.replace(` 127.0.0.1:${port}`, ''),
    span.attributes['db.operation.batch.size'],
    span.attributes['db.query.text'],
  ];

  it('records a command of ioredis with the attributes of its connection', async () => {
    const redis = await connected({ db: 3 });
    await redis.set('clew:a', SECRET);
    const span = telemetry.onlySpan();
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.equal(span.name, `set 127.0.0.1:${port}`);
    assert.deepEqual(span.attributes, {
      'db.system.name': 'redis',
      'db.namespace': '3',
      'db.operation.name': 'set',
      'db.query.text': 'set clew:a ?',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
    });
    redis.disconnect();
  });

  it('records a command of node-redis with the attributes of its connection', async () => {
    const client = createClient({ url });
    await client.connect();
    await client.set('clew:a', SECRET);
    await client.select(2);
    await client.get('clew:a');
    const [set, , get] = telemetry.spans();
    assert.equal(set?.name, `SET 127.0.0.1:${port}`);
    assert.deepEqual(set?.attributes, {
      'db.system.name': 'redis',
      'db.namespace': '0',
      'db.operation.name': 'SET',
      'db.query.text': 'SET clew:a ?',
      'server.address': '127.0.0.1',
      'server.port': port,
    });
    assert.equal(get?.attributes['db.namespace'], '2');
    client.destroy();
  });

  it('records how a command failed by the prefix of the error', async () => {
    const redis = await connected();
    const client = createClient({ url });
    await client.connect();
    await redis.set('clew:text', SECRET);
    telemetry.reset();
    await assert.rejects(redis.lpush('clew:text', SECRET));
    await assert.rejects(client.lPush('clew:text', SECRET));
    for (const { attributes, status, events } of telemetry.spans()) {
      assert.deepEqual(status, { code: SpanStatusCode.ERROR, message: 'WRONGTYPE' });
      assert.equal(attributes['error.type'], 'WRONGTYPE');
      assert.equal(attributes['db.response.status_code'], 'WRONGTYPE');
      assert.doesNotMatch(JSON.stringify([attributes, events]), /secret/);
    }
    assert.equal(telemetry.spans().length, 2);
    redis.disconnect();
    client.destroy();
  });

  it('names batches as the conventions do', async () => {
    const redis = await connected();
    const client = createClient({ url });
    await client.connect();
    await redis.pipeline().set('a', SECRET).set('b', SECRET).exec();
    await redis.pipeline().set('a', SECRET).get('b').exec();
    await redis.multi().get('a').get('b').exec();
    await redis.pipeline().get('a').exec();
    await redis.pipeline().exec();
    await client.multi().set('a', SECRET).get('b').exec();
    await client.multi().get('a').get('b').execAsPipeline();
    await client.multi().get('a').execAsPipeline();
    assert.deepEqual(telemetry.spans().map(named), [
      ['PIPELINE set', 2, 'set a ?; set b ?'],
      ['PIPELINE', 2, 'set a ?; get b'],
      ['MULTI get', 2, 'get a; get b'],
      ['get', undefined, 'get a'],
      ['MULTI', 2, 'SET a ?; GET b'],
      ['PIPELINE GET', 2, 'GET a; GET b'],
      ['GET', undefined, 'GET a'],
    ]);
    redis.disconnect();
    client.destroy();
  });

  it('records a pipeline of ten thousand commands as one span with a short text', async () => {
    const redis = await connected();
    const pipeline = redis.pipeline();
    for (let index = 0; index < 10_000; index += 1) pipeline.set(`clew:${index % 10}`, SECRET);
    await pipeline.exec();
    const { attributes } = telemetry.onlySpan();
    assert.equal(attributes['db.operation.batch.size'], 10_000);
    assert.ok(String(attributes['db.query.text']).length <= 4096);
    redis.disconnect();
  });

  it('counts the time in the offline queue', async () => {
    const redis = new Redis(url, { lazyConnect: true });
    const reply = redis.get('clew:a');
    const started = Date.now();
    await once(redis, 'ready');
    const waited = Date.now() - started;
    await reply;
    const { duration, attributes } = telemetry.onlySpan();
    assert.ok(duration[0] * 1000 + duration[1] / 1e6 >= waited - 1);
    assert.equal(attributes['network.peer.port'], port);
    redis.disconnect();
  });

  it('counts the time that a command waited for a client of its pool', async () => {
    const measure = registerMeasurements();
    const pool = createClientPool({ url }, { minimum: 1, maximum: 1 });
    await pool.connect();
    const slow = pool.execute((client) => client.sendCommand(['BLPOP', 'clew:nothing', '0.05']));
    const waiting = pool.get('clew:a');
    const [pending] = await measure('db.client.connection.pending_requests');
    assert.equal(pending?.value, 1);
    await Promise.all([slow, waiting]);
    const get = telemetry.spans().find(({ name }) => name.startsWith('GET'));
    assert.ok(Number(get?.attributes['clew.pool.wait.ms']) > 10);
    assert.ok((get?.duration[1] ?? 0) > 10e6);
    const [waits] = await measure('db.client.connection.wait_time');
    assert.equal((waits?.value as Histogram | undefined)?.count, 2);
    assert.deepEqual(waits?.attributes, {
      'db.client.connection.pool.name': `127.0.0.1:${port}`,
    });
    const [uses] = await measure('db.client.connection.use_time');
    assert.equal((uses?.value as Histogram | undefined)?.count, 2);
    pool.destroy();
  });

  it('measures the commands of the application, and not those of the set-up', async () => {
    const measure = registerMeasurements();
    const redis = await connected();
    const client = createClient({ url });
    await client.connect();
    await redis.get('clew:a');
    await client.get('clew:a');
    const points = await measure('db.client.operation.duration');
    const names = points.map(({ attributes }) => attributes['db.operation.name']);
    assert.deepEqual(new Set(names), new Set(['GET', 'get']));
    redis.disconnect();
    client.destroy();
  });

  it('records what waits for the connection in its own trace, and in none if its caller has none', async () => {
    // With a subscriber every command has an operation, recorded or not.
    const subscriber = (): void => undefined;
    subscribe('tracing:ioredis:command:start', subscriber);
    const unsampled = new Redis(url, { lazyConnect: true });
    await asUnsampledCaller('a', () => unsampled.get('clew:a'));
    unsubscribe('tracing:ioredis:command:start', subscriber);
    assert.deepEqual(telemetry.spans(), []);
    unsampled.disconnect();

    for (const instrumentation of instrumentations) instrumentation.setConfig({});
    const redis = new Redis(url, { lazyConnect: true });
    // The one who connects has a span, and whoever waits beside it has none.
    await Promise.all([
      asCaller('b', () => redis.get('clew:b'), { withSpan: true }),
      asCaller('c', () => redis.get('clew:c')),
    ]);
    assert.deepEqual(
      telemetry
        .spans()
        .map(({ attributes }) => attributes['db.query.text'])
        .filter(Boolean),
      ['get clew:b'],
    );
    redis.disconnect();
  });

  it('gives the hook the reply that the application gets', async () => {
    const replies: unknown[] = [];
    const config = {
      requireParent: false,
      responseHook: (_span: unknown, { result }: { result?: unknown }) => replies.push(result),
    };
    for (const instrumentation of instrumentations) instrumentation.setConfig(config);
    const redis = await connected();
    await redis.set('clew:a', 'hello');
    await redis.get('clew:a');
    assert.deepEqual(replies, ['OK', 'hello']);
    redis.disconnect();
  });

  it('leaves an unhandled rejection unhandled, and a handled one handled', async () => {
    const redis = await connected();
    const client = createClient({ url });
    await client.connect();
    await redis.set('clew:text', 'text');
    const seen: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (error) => seen.push(error));
    try {
      void redis.lpush('clew:text', 'a');
      void client.lPush('clew:text', 'a');
      redis.lpush('clew:text', 'a').catch(() => undefined);
      client.lPush('clew:text', 'a').catch(() => undefined);
      await Promise.all([redis.ping(), client.ping()]);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    assert.equal(seen.length, 2);
    redis.disconnect();
    client.destroy();
  });

  it('unsubscribes the listener that was subscribed', async () => {
    const subscriber = createClient({ url });
    const publisher = createClient({ url });
    await Promise.all([subscriber.connect(), publisher.connect()]);
    const heard: string[] = [];
    const listener = (message: string): void => void heard.push(message);
    await subscriber.subscribe('clew:x', listener);
    await subscriber.subscribe('clew:x', listener);
    await publisher.publish('clew:x', 'one');
    await subscriber.unsubscribe('clew:x', listener);
    await publisher.publish('clew:x', 'two');
    await subscriber.ping();
    assert.deepEqual(heard, ['one']);
    subscriber.destroy();
    publisher.destroy();
  });
});
