import assert from 'node:assert/strict';
import { tracingChannel, type TracingChannelSubscribers } from 'node:diagnostics_channel';

import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { createClient } from 'redis';

import { getInstrumentations, type ClientName } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { asCaller, caller } from '../support/callers.ts';
import { registerContextManager, registerTelemetry } from '../support/telemetry.ts';
import { startStandIn } from './mongodb/stand-in.ts';

/** What was published, and whose context was active then: `ioredis:command start a`. */
let heard: string[] = [];
let undos: (() => void)[] = [];

function subscribe(names: readonly string[]): void {
  for (const name of names) {
    const channel = tracingChannel(name);
    const note = (event: string) => (): void => void heard.push(`${name} ${event} ${caller()}`);
    const subscriber: TracingChannelSubscribers<object> = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    };
    channel.subscribe(subscriber);
    undos.push(() => channel.unsubscribe(subscriber));
  }
}

function instrument(name: ClientName): void {
  for (const one of getInstrumentations({ all: { requireParent: false } })) {
    if (one.instrumentationName !== `clew/${name}`) continue;
    one.enable();
    undos.push(() => one.disable());
  }
}

describe("An application's own subscriber to a client's tracing channels", () => {
  beforeEach(() => {
    heard = [];
  });

  afterEach(() => {
    for (const undo of undos.splice(0)) undo();
  });

  describe('ioredis', () => {
    let url: string;

    before(async function () {
      this.timeout(120_000);
      url = await requireService(this, 'redis');
    });

    beforeEach(() => {
      subscribe(['ioredis:command', 'ioredis:batch', 'ioredis:connect']);
      instrument('ioredis');
    });

    it('leaves one span for each command, pipeline and transaction', async () => {
      const telemetry = registerTelemetry();
      const redis = new Redis(url);
      await redis.get('clew:a');
      await redis.pipeline().get('clew:a').get('clew:b').exec();
      await redis.multi().get('clew:a').exec();
      redis.disconnect();
      assert.deepEqual(
        telemetry.spans().map(({ attributes }) => attributes['db.operation.name']),
        ['get', 'PIPELINE get', 'MULTI get'],
      );
      assert.ok(heard.some((event) => event.startsWith('ioredis:batch start')));
    });

    it("hears of queued commands in their callers' contexts, also where nothing is recorded", async () => {
      registerContextManager();
      const redis = new Redis(url, { enableAutoPipelining: true });
      await Promise.all(['a', 'b', 'c'].map((name) => asCaller(name, () => redis.get(name))));
      redis.disconnect();
      const starts = heard.filter((event) => /^ioredis:command start [abc]$/.test(event));
      assert.deepEqual(starts.sort(), [
        'ioredis:command start a',
        'ioredis:command start b',
        'ioredis:command start c',
      ]);
    });
  });

  describe('redis', () => {
    it('leaves one span for each command, pipeline and transaction', async function () {
      this.timeout(120_000);
      const url = await requireService(this, 'redis');
      subscribe(['node-redis:command', 'node-redis:batch', 'node-redis:connect']);
      instrument('redis');
      const telemetry = registerTelemetry();
      const client = createClient({ url });
      await client.connect();
      await client.get('clew:a');
      await client.multi().get('clew:a').get('clew:b').execAsPipeline();
      await client.multi().get('clew:a').exec();
      client.destroy();
      assert.deepEqual(
        telemetry.spans().map(({ attributes }) => attributes['db.operation.name']),
        ['GET', 'PIPELINE GET', 'MULTI GET'],
      );
      assert.ok(heard.some((event) => event.startsWith('node-redis:command start')));
      assert.ok(heard.some((event) => event.startsWith('node-redis:batch start')));
    });
  });

  describe('mongoose', () => {
    it("leaves the driver's span the only one", async () => {
      subscribe(['mongoose:query', 'mongoose:model:save']);
      instrument('mongodb');
      const telemetry = registerTelemetry();
      const standIn = await startStandIn();
      const connection = await mongoose.createConnection(standIn.url).asPromise();
      const Things = connection.model('Thing', new mongoose.Schema({ text: String }));
      telemetry.reset();
      await Things.find({ text: 'planted' });
      await new Things({ text: 'planted' }).save();
      const names = telemetry
        .spans()
        .map(({ attributes }) => attributes['db.operation.name'])
        .filter((name) => name === 'find' || name === 'insert');
      await connection.close();
      await standIn.stop();
      assert.deepEqual(names, ['find', 'insert']);
      assert.ok(heard.some((event) => event.startsWith('mongoose:query start')));
      assert.ok(heard.some((event) => event.startsWith('mongoose:model:save start')));
    });
  });
});
