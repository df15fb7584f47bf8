import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import type * as Mongodb from 'mongodb';
import type Mongoose from 'mongoose';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { asCaller } from '../../support/callers.ts';
import { registerMeasurements } from '../../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

const require = createRequire(import.meta.url);

describe('mongodb', () => {
  let server: StandIn;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let client: Mongodb.MongoClient;
  let port: number;

  beforeEach(async () => {
    telemetry = registerTelemetry();
    server = await startStandIn();
    port = Number(new URL(server.url).port);
    [instrumentation] = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mongodb',
    ) as [Instrumentation];
    instrumentation.enable();
    const { MongoClient } = require('mongodb') as typeof Mongodb;
    client = new MongoClient(server.url, { maxPoolSize: 1, minHeartbeatFrequencyMS: 10 });
    await client.connect();
  });

  afterEach(async () => {
    await client.close();
    instrumentation.disable();
    await server.stop();
  });

  it('records a command as one CLIENT span with names and nothing else', async () => {
    await client.db('test').collection('numbers').findOne({ text: 'secret-value' });
    const span = telemetry.onlySpan();
    const { 'clew.pool.wait.ms': wait, ...attributes } = span.attributes;
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.equal(span.name, 'find numbers');
    assert.equal(typeof wait, 'number');
    assert.deepEqual(attributes, {
      'db.system.name': 'mongodb',
      'db.namespace': 'test',
      'db.operation.name': 'find',
      'db.collection.name': 'numbers',
      'server.address': '127.0.0.1',
      'server.port': port,
    });
  });

  it('records how a command, or a write of it, failed by the code only', async () => {
    const db = client.db('test');
    await assert.rejects(db.collection('refused').findOne({}));
    await assert.rejects(db.collection('duplicate').insertOne({ text: 'secret-value' }));
    const [refused, duplicate] = telemetry.spans();
    assert.deepEqual(refused?.status, { code: SpanStatusCode.ERROR, message: '2' });
    assert.equal(duplicate?.attributes['db.response.status_code'], '11000');
    for (const { attributes, status, events } of telemetry.spans()) {
      assert.doesNotMatch(JSON.stringify([attributes, status, events]), /secret/);
    }
  });

  it('records how many documents a write carries', async () => {
    const numbers = client.db('test').collection('numbers');
    await numbers.insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    await numbers.insertOne({ a: 1 });
    assert.deepEqual(
      telemetry.spans().map(({ attributes }) => attributes['db.operation.batch.size']),
      [3, undefined],
    );
  });

  it('counts a write concern that is not met, and writes of several collections, as failed', async () => {
    const db = client.db('test');
    await assert.rejects(db.collection('unconcerned').insertOne({ text: 'secret-value' }));
    await assert.rejects(
      client.bulkWrite([
        { namespace: 'test.numbers', name: 'insertOne', document: { text: 'a' } },
        { namespace: 'test.numbers', name: 'insertOne', document: { text: 'duplicate' } },
      ]),
    );
    assert.deepEqual(
      telemetry.spans().map(({ name, attributes }) => [name, attributes['error.type']]),
      [
        ['insert unconcerned', '64'],
        ['bulkWrite admin', '11000'],
      ],
    );
  });

  it('records by the class of the error that a connection ended, and records the retry as well', async () => {
    const numbers = client.db('test').collection('broken');
    await assert.rejects(numbers.findOne({}));
    const types = telemetry.spans().map(({ attributes }) => attributes['error.type']);
    assert.deepEqual(types, ['MongoNetworkError', 'MongoNetworkError']);
    telemetry.reset();
    await client.db('test').collection('flaky').findOne({});
    assert.deepEqual(
      telemetry.spans().map(({ attributes }) => attributes['db.response.status_code']),
      ['11600', undefined],
    );
  });

  it('names the collection of what is explained, and no operation that no server has', async () => {
    const db = client.db('test');
    await db.collection('numbers').find({ text: 'secret-value' }).explain();
    await db.command({ 'secret-value': 1 });
    assert.deepEqual(
      telemetry.spans().map(({ name }) => name),
      ['explain numbers', 'unknown test'],
    );
  });

  it("takes no value for a collection's name", async () => {
    await client.db('test').command({ createUser: 'secret-value', pwd: 'secret-value', roles: [] });
    const span = telemetry.onlySpan();
    assert.equal(span.attributes['db.operation.name'], 'createUser');
    assert.doesNotMatch(JSON.stringify([span.name, span.attributes]), /secret/);
  });

  it('counts the connections of the pool, and who waits for them', async () => {
    const measure = registerMeasurements();
    const numbers = client.db('test').collection('numbers');
    await Promise.all([numbers.findOne({}), numbers.findOne({}), numbers.findOne({})]);
    const name = `127.0.0.1:${port}`;
    const counts = (await measure('db.client.connection.count')).filter(
      ({ attributes }) => attributes['db.client.connection.pool.name'] === name,
    );
    assert.deepEqual(
      counts.map(({ attributes, value }) => [attributes['db.client.connection.state'], value]),
      [
        ['used', 0],
        ['idle', 1],
      ],
    );
    for (const metric of ['wait_time', 'use_time']) {
      const [point] = await measure(`db.client.connection.${metric}`);
      assert.equal((point?.value as Histogram | undefined)?.count, 3, metric);
    }
  });

  it('counts several connections, and those who wait for one, while they do', async () => {
    const measure = registerMeasurements();
    const { MongoClient } = require('mongodb') as typeof Mongodb;
    const other = new MongoClient(server.url, { maxPoolSize: 2 });
    const collection = other.db('test').collection('held');
    const both = server.held(2);
    const found = [1, 2, 3, 4].map(() => collection.findOne({}));
    await both;
    const used = (await measure('db.client.connection.count')).map(({ value }) => value);
    assert.deepEqual(used, [2, 0]);
    const [pending] = await measure('db.client.connection.pending_requests');
    assert.equal(pending?.value, 2);
    const [created] = await measure('db.client.connection.create_time');
    assert.equal((created?.value as Histogram | undefined)?.count, 2);
    server.release();
    await Promise.all(found);
    await other.close();
  });

  it('patches the classes that a bundle hides once a client is connected, and takes it out again', async () => {
    instrumentation.disable();
    const mongodb = require('mongodb') as typeof Mongodb;
    const undo = instrumentation.instrument(mongodb);
    const other = new mongodb.MongoClient(server.url, { maxPoolSize: 1 });
    await other.db('test').collection('numbers').findOne({});
    assert.equal(telemetry.onlySpan().name, 'find numbers');
    undo();
    await other.db('test').collection('numbers').findOne({});
    telemetry.onlySpan();
    await other.close();
    instrumentation.enable();
  });

  it('leaves mongoose to its driver: one span, with the collection', async () => {
    const mongoose = require('mongoose') as typeof Mongoose;
    const connection = await mongoose.createConnection(server.url, { dbName: 'test' }).asPromise();
    const Thing = connection.model('Thing', new mongoose.Schema({ text: String }), 'numbers', {
      overwriteModels: true,
    });
    telemetry.reset();
    await asCaller('a', () => Thing.find({ text: 'secret-value' }).exec(), { withSpan: true });
    const [find, caller, ...others] = telemetry.spans();
    assert.equal(others.length, 0);
    assert.equal(find?.name, 'find numbers');
    assert.equal(find?.parentSpanContext?.spanId, caller?.spanContext().spanId);
    await connection.close();
  });
});
