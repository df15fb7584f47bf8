import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { Redis } from 'ioredis';
import * as ioredis5 from 'ioredis-5';
import { createClient, createClientPool, defineScript, type CommandParser } from 'redis';
import * as redis4 from 'redis-4';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { noteFunction, noteScript, scriptOf } from '../../../src/instrumentation/redis/scripts.ts';
import { requireService } from '../../support/services.ts';
import { registerTelemetry, type Telemetry } from '../support/telemetry.ts';

// Not the text of other tests: one that has two names is known by none.
const LUA = "return redis.call('incrby', KEYS[1], ARGV[1]) -- of this test";
const OTHER = "return redis.call('incrby', KEYS[1], 2 * ARGV[1]) -- of this test";
const LIBRARY = `#!lua name=clew
redis.register_function{function_name = 'clewAdd', callback = function(keys, args)
  return redis.call('incrby', keys[1], args[1])
end}
redis.register_function{function_name = 'clewSecret', callback = function() return 1 end}`;

type Scripted = Redis &
  Record<'clewAddTo' | 'clewAddTwice', (...args: unknown[]) => Promise<number>>;

describe('scripts of Redis', () => {
  let url: string;
  let telemetry: Telemetry;
  let instrumentations: Instrumentation[];
  let undo: () => void;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'redis');
  });

  beforeEach(() => {
    telemetry = registerTelemetry();
    instrumentations = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => /^clew\/(?:io)?redis$/.test(instrumentationName),
    );
    for (const instrumentation of instrumentations) instrumentation.enable();
    // It is installed under another name.
    undo = instrumentations
      .find(({ instrumentationName }) => instrumentationName === 'clew/ioredis')!
      .instrument(ioredis5);
  });

  afterEach(() => {
    undo();
    for (const instrumentation of instrumentations) instrumentation.disable();
  });

  /** The names of the spans, with what they say of the script. */
  const named = (): unknown[] =>
    telemetry.spans().map(({ name, attributes }) => [name, attributes['db.stored_procedure.name']]);

  const withoutDigests = (): void => {
    for (const { name, attributes } of telemetry.spans()) {
      assert.doesNotMatch(JSON.stringify([name, attributes]), /[0-9a-f]{40}|incrby/);
    }
  };

  for (const [version, Client] of Object.entries({
    ioredis: Redis,
    'ioredis 5': ioredis5.Redis as unknown as typeof Redis,
  })) {
    describe(`by ${version}`, () => {
      let redis: Scripted;

      beforeEach(async () => {
        redis = new Client(url, {
          scripts: { clewAddTwice: { numberOfKeys: 1, lua: OTHER } },
        }) as unknown as Scripted;
        redis.defineCommand('clewAddTo', { numberOfKeys: 1, lua: LUA });
        await redis.ping();
        telemetry.reset();
      });
      afterEach(() => redis.disconnect());

      it('are named by the command that they were defined as', async () => {
        await redis.clewAddTo('clew:n', 1);
        await redis.clewAddTwice('clew:n', 1);
        assert.deepEqual(named(), [
          ['evalsha clewAddTo', 'clewAddTo'],
          ['evalsha clewAddTwice', 'clewAddTwice'],
        ]);
        assert.equal(telemetry.spans()[0]?.attributes['db.operation.name'], 'evalsha');
        assert.equal(telemetry.spans()[0]?.attributes['db.query.text'], 'evalsha ? ? clew:n ?');
        withoutDigests();
      });

      it('are named when the server has forgotten them', async () => {
        await redis.clewAddTo('clew:n', 1);
        await redis.script('FLUSH');
        telemetry.reset();
        await redis.clewAddTo('clew:n', 1);
        assert.deepEqual(named(), [['evalsha clewAddTo', 'clewAddTo']]);
      });

      it('are named in pipelines and transactions that run one script', async () => {
        await redis.clewAddTo('clew:n', 1);
        telemetry.reset();
        const add = (pipeline: unknown): Scripted => pipeline as Scripted;
        const one = redis.multi();
        void add(one).clewAddTo('clew:n', 1);
        void add(one).clewAddTo('clew:n', 2);
        await one.exec();
        const two = redis.multi();
        void add(two).clewAddTo('clew:n', 1);
        void add(two).clewAddTwice('clew:n', 2);
        await two.exec();
        const single = redis.pipeline();
        void add(single).clewAddTo('clew:n', 1);
        await single.exec();
        const names = named();
        assert.deepEqual(names.slice(0, 1), [['MULTI evalsha clewAddTo', 'clewAddTo']]);
        assert.equal((names[1] as unknown[])[1], undefined);
        assert.deepEqual(names.slice(2), [['evalsha clewAddTo', 'clewAddTo']]);
        withoutDigests();
      });

      it('are named where the application sends the digest itself', async () => {
        await redis.script('LOAD', LUA);
        telemetry.reset();
        await redis.evalsha(createHash('sha1').update(LUA).digest('hex'), 1, 'clew:n', 1);
        assert.deepEqual(named(), [['evalsha clewAddTo', 'clewAddTo']]);
      });

      it('have no name where none was given', async () => {
        await redis.eval('return 1', 0);
        const digest = (await redis.script('LOAD', 'return 1')) as string;
        telemetry.reset();
        await redis.evalsha(digest, 0);
        const [span] = telemetry.spans();
        assert.equal(span?.attributes['db.stored_procedure.name'], undefined);
        assert.match(span?.name ?? '', /^evalsha 127\.0\.0\.1:\d+$/);
        withoutDigests();
      });
    });
  }

  describe('by node-redis', () => {
    const scripts = {
      clewAddTo: defineScript({
        SCRIPT: `${LUA} -- node`,
        NUMBER_OF_KEYS: 1,
        parseCommand(parser: CommandParser, key: string, by: number) {
          parser.pushKey(key);
          parser.push(String(by));
        },
        transformReply: undefined as unknown as () => number,
      }),
    };
    const functions = {
      clew: {
        clewAdd: {
          NUMBER_OF_KEYS: 1,
          parseCommand(parser: CommandParser, key: string, by: number) {
            parser.pushKey(key);
            parser.push(String(by));
          },
          transformReply: undefined as unknown as () => number,
        },
      },
    };

    it('are named by the methods that clients, batches and pools have for them', async () => {
      const client = createClient({ url, scripts, functions });
      await client.connect();
      await client.functionLoad(LIBRARY, { REPLACE: true });
      telemetry.reset();
      await client.clewAddTo('clew:n', 1);
      await client.multi().clewAddTo('clew:n', 1).clewAddTo('clew:n', 1).exec();
      await client.clew.clewAdd('clew:n', 1);
      await client.fCall('clewSecret', { keys: [], arguments: [] });
      const [script, batch, called, raw] = telemetry.spans();
      assert.equal(script?.name, 'EVALSHA clewAddTo');
      // The first of a batch is sent in full.
      assert.equal(batch?.attributes['db.operation.batch.size'], 2);
      assert.equal(called?.name, 'FCALL clewAdd');
      assert.match(raw?.name ?? '', /^FCALL 127/, 'a name that only the server knows is not shown');
      withoutDigests();
      await client.close();

      const pool = createClientPool({ url, scripts });
      await pool.connect();
      telemetry.reset();
      await pool.clewAddTo('clew:n', 1);
      assert.deepEqual(named(), [['EVALSHA clewAddTo', 'clewAddTo']]);
      await pool.close();
    });

    it('are named by version 4', async () => {
      const client = redis4.createClient({
        url,
        scripts: {
          clewAddTo: redis4.defineScript({
            SCRIPT: `${LUA} -- node 4`,
            NUMBER_OF_KEYS: 1,
            transformArguments: (key: string, by: number) => [key, String(by)],
          }),
        },
      });
      await client.connect();
      telemetry.reset();
      await client.clewAddTo('clew:n', 1);
      await client.multi().clewAddTo('clew:n', 1).exec();
      const [script, batch] = telemetry.spans();
      assert.equal(script?.name, 'EVALSHA clewAddTo');
      assert.equal(batch?.attributes['db.stored_procedure.name'], 'clewAddTo');
      withoutDigests();
      await client.disconnect();
    });
  });

  describe('the table of names', () => {
    const digestOf = (text: string): string => createHash('sha1').update(text).digest('hex');

    it('leaves out the version that BullMQ adds', () => {
      noteScript('clewMove:5.81.5', digestOf('move'), 'move');
      assert.equal(scriptOf('evalsha', [digestOf('move')]), 'clewMove');
      assert.equal(scriptOf('EVAL', ['move']), 'clewMove');
      assert.equal(scriptOf('get', ['move']), undefined);
    });

    it('shows neither of two names of one script', () => {
      noteScript('clewOne', digestOf('both'), 'both');
      noteScript('clewTwo', digestOf('both'), 'both');
      assert.equal(scriptOf('evalsha', [digestOf('both')]), undefined);
    });

    it('shows nothing that has not the form of a name', () => {
      for (const [index, name] of ['a b', "it's", '', 'x'.repeat(100), 7, null].entries()) {
        noteScript(name, digestOf(`bad ${index}`), undefined);
        assert.equal(scriptOf('evalsha', [digestOf(`bad ${index}`)]), undefined);
        noteFunction(name);
        assert.equal(scriptOf('fcall', [name]), undefined);
      }
    });

    it('survives definitions that throw', () => {
      const hostile = new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('planted');
          },
        },
      );
      assert.throws(() => createClient({ url, scripts: hostile }), /planted/);
    });
  });
});
