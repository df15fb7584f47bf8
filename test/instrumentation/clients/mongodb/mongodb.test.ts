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
    [instrumentation] = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mongodb',
    ) as [Instrumentation];
    instrumentation.enable();
    const { MongoClient } = require('mongodb') as typeof Mongodb;
    client = new MongoClient(server.url, { maxPoolSize: 1 });
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

  it('says how a command, or a write of it, failed by the code alone', async () => {
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

  it('says how many documents a write carries', async () => {
    const numbers = client.db('test').collection('numbers');
    await numbers.insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    await numbers.insertOne({ a: 1 });
    assert.deepEqual(
      telemetry.spans().map(({ attributes }) => attributes['db.operation.batch.size']),
      [3, undefined],
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
