import { once } from 'node:events';
import { createRequire } from 'node:module';

import type * as Ioredis from 'ioredis';
import type * as NodeRedis from 'redis';
import type * as NodeRedis4 from 'redis-4';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { requireService } from '../../support/services.ts';
import { assertNoDifference, describeError, type Scenario } from '../support/differential.ts';

const load = createRequire(import.meta.url);

/** What the application sees of a client of any kind. */
interface Client {
  get(key: unknown): Promise<unknown>;
  set(key: unknown, value: unknown): Promise<unknown>;
  send(command: unknown[]): Promise<unknown>;
  /** A transaction of two commands, the first of which is wrong. */
  batch(): Promise<unknown>;
  close(): unknown;
}

const clients: Record<string, (url: string) => Promise<Client>> = {
  ioredis: async (url) => {
    const { Redis } = load('ioredis') as typeof Ioredis;
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    await once(redis, 'ready');
    return {
      get: (key) => redis.get(key as string),
      set: (key, value) => redis.set(key as string, value as string),
      send: ([name, ...args]) => redis.call(name as string, ...(args as string[])),
      batch: () => redis.multi().lpush('clew:text', 'a').get('clew:text').exec(),
      close: () => redis.disconnect(),
    };
  },
  redis: (url) => openRedis(load('redis') as typeof NodeRedis, url),
  'redis 4': (url) => openRedis(load('redis-4') as typeof NodeRedis4, url),
};

async function openRedis(
  library: Pick<typeof NodeRedis, 'createClient'> | Pick<typeof NodeRedis4, 'createClient'>,
  url: string,
): Promise<Client> {
  const client = (library as typeof NodeRedis).createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return {
    get: (key) => client.get(key as string),
    set: (key, value) => client.set(key as string, value as string),
    send: (command) => client.sendCommand(command as string[]),
    batch: () => client.multi().lPush('clew:text', 'a').get('clew:text').exec(),
    close: () => client.disconnect(),
  };
}

const scenarios: Record<string, (client: Client) => unknown> = {
  'an undefined key': (client) => client.get(undefined),
  'a key that is an object': (client) => client.get({ toString: () => 'a' }),
  'a symbol for a value': (client) => client.set('clew:a', Symbol('planted')),
  'a value whose toString throws': (client) =>
    client.set('clew:a', {
      toString() {
        throw new Error('planted');
      },
    }),
  'no command at all': (client) => client.send([]),
  'a command that is no text': (client) => client.send([null]),
  'a command nobody knows': (client) => client.send(['NO.SUCH', 'a']),
  'a value of 10 MB': (client) => client.set('clew:long', 'x'.repeat(1e7)),
  'a batch that goes wrong': (client) => client.batch(),
  'a rejection that nobody handles': async (client) => {
    void client.send(['LPUSH', 'clew:text', 'a']);
    await client.get('clew:text');
  },
  'a connection that is closed in the middle': async (client) => {
    const waiting = client.send(['BLPOP', 'clew:nothing', '60']).catch(describeError);
    await client.close();
    return waiting;
  },
  'a call after the end': async (client) => {
    await client.close();
    return client.get('clew:a');
  },
};

describe('Redis clients with bad input', () => {
  let url: string;
  const byName = new Map<string, Instrumentation>();

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'redis');
    for (const each of getInstrumentations({ all: { requireParent: false } }))
      byName.set(each.instrumentationName, each);
  });

  for (const [name, open] of Object.entries(clients)) {
    for (const [what, scenario] of Object.entries(scenarios)) {
      // node-redis sends it, and the server has nothing to answer.
      if (what === 'no command at all' && name !== 'ioredis') continue;
      it(`changes nothing for the application: ${name}, ${what}`, () => {
        const whole: Scenario = async () => {
          const client = await open(url);
          try {
            await client.send(['SET', 'clew:text', 'text']);
            return await scenario(client);
          } finally {
            await Promise.resolve(client.close()).catch(() => undefined);
          }
        };
        return assertNoDifference(whole, byName.get(`clew/${name.split(' ')[0]}`)!);
      });
    }
  }
});
