import {
  createClient,
  createClientPool,
  defineScript,
  type CommandParser,
  type RedisClientPoolType,
  type RedisClientType,
} from 'redis';

import type { Form, FormSuite, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

type Client = RedisClientType;
type Pool = RedisClientPoolType;

/** What makes clients: that of one version or another. */
export interface Package {
  createClient: typeof createClient;
  createClientPool: typeof createClientPool;
}

export const commands: Form<Client | Pool>[] = [
  {
    name: 'promise',
    run: async (target, note) => {
      await target.set('{clew}:a', '1');
      note('continuation');
    },
  },
  { name: 'then', run: (target, note) => target.get('{clew}:a').then(() => note('then')) },
  {
    name: 'rejected promise',
    run: (target, note) => target.lPush('{clew}:text', 'a').catch(() => note('catch')),
  },
  {
    name: 'sendCommand',
    run: async (target, note) => {
      await target.sendCommand(['GET', '{clew}:a']);
      note('continuation');
    },
  },
  {
    name: 'three at once',
    operations: 3,
    run: async (target, note) => {
      await Promise.all(['a', 'b', 'c'].map((key) => target.get(key).then(() => note(key))));
    },
  },
  {
    name: 'transaction',
    run: async (target, note) => {
      await target.multi().set('{clew}:a', '1').get('{clew}:a').exec();
      note('continuation');
    },
  },
  {
    name: 'transaction of one kind',
    run: async (target, note) => {
      await target.multi().get('{clew}:a').get('{clew}:b').exec();
      note('continuation');
    },
  },
  {
    name: 'transaction with an error',
    run: async (target, note) => {
      const multi = target.multi().lPush('{clew}:text', 'a').get('{clew}:a');
      await multi.exec().catch(() => note('catch'));
    },
  },
  {
    name: 'pipeline',
    run: async (target, note) => {
      await target.multi().set('{clew}:a', '1').get('{clew}:a').execAsPipeline();
      note('continuation');
    },
  },
  {
    name: 'transaction never executed',
    operations: 0,
    run: async (target, note) => {
      target.multi().get('{clew}:a');
      note('left alone');
    },
  },
];

const clientForms: Form<Client>[] = [
  {
    name: 'iterator',
    run: async (client, note) => {
      for await (const keys of client.scanIterator({ COUNT: 1000 })) note(`keys ${typeof keys}`);
      note('after the loop');
    },
  },
  {
    name: 'script',
    run: async (client, note) => {
      await (client as unknown as WithScript).addTo('{clew}:n', 1);
      note('continuation');
    },
  },
  {
    name: 'script that the server has forgotten',
    operations: 3,
    run: async (client, note) => {
      await (client as unknown as WithScript).addTo('{clew}:n', 1);
      await client.scriptFlush();
      await (client as unknown as WithScript).addTo('{clew}:n', 1);
      note('continuation');
    },
  },
  {
    name: 'command options',
    run: async (client, note) => {
      await client.withTypeMapping({ 36: Buffer }).get('{clew}:a');
      note('continuation');
    },
  },
  {
    name: 'legacy callback',
    run: (client, note) => called((done) => client.legacy().get('{clew}:a', noted(note, done))),
  },
  {
    name: 'legacy transaction',
    run: (client, note) =>
      called((done) =>
        client.legacy().multi().set('{clew}:a', '1').get('{clew}:a').exec(noted(note, done)),
      ),
  },
];

const poolForms: Form<Pool>[] = [
  {
    name: 'execute',
    operations: 2,
    run: async (pool, note) => {
      await pool.execute(async (client) => {
        note('in the task');
        await client.set('{clew}:a', '1');
        await client.get('{clew}:a');
        note('after the command');
      });
      note('continuation');
    },
  },
  {
    name: 'execute what throws',
    operations: 0,
    run: (pool, note) =>
      pool
        .execute(() => {
          note('in the task');
          throw new Error('on purpose');
        })
        .catch(() => note('catch')),
  },
];

const connections = (library: Package): Form<string>[] => [
  {
    name: 'connect and quit',
    operations: 1,
    run: async (url, note) => {
      const client = library.createClient({ url });
      client.on('connect', () => note('connect')).once('ready', () => note('ready'));
      await client.connect();
      note('connected');
      await client.get('{clew}:a');
      await client.quit();
      note('ended');
    },
  },
  {
    name: 'commands before connect',
    operations: 2,
    run: async (url, note) => {
      const client = library.createClient({ url });
      const connected = client.connect();
      await Promise.all([client.get('{clew}:a'), client.get('{clew}:b')]);
      note('continuation');
      await connected;
      client.destroy();
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: async (_url, note) => {
      const client = library.createClient({ socket: { port: 1, reconnectStrategy: false } });
      client.on('error', () => note('error'));
      await client.connect().catch(() => note('catch'));
    },
  },
  {
    name: 'subscribe, message',
    operations: 3,
    run: async (url, note) => {
      const subscriber = await library.createClient({ url }).connect();
      const publisher = await library.createClient({ url }).connect();
      const { heard, listener } = hearing(note);
      await subscriber.subscribe('clew:news', listener);
      await publisher.publish('clew:news', 'hello');
      await heard;
      await subscriber.unsubscribe('clew:news', listener);
      note('unsubscribed');
      subscriber.destroy();
      publisher.destroy();
    },
  },
  {
    name: 'psubscribe with buffers',
    operations: 2,
    run: async (url, note) => {
      const subscriber = await library.createClient({ url }).connect();
      const publisher = await library.createClient({ url }).connect();
      const { heard, listener } = hearing(note);
      await subscriber.pSubscribe('clew:*', listener, true);
      await publisher.publish('clew:news', 'hello');
      await heard;
      subscriber.destroy();
      publisher.destroy();
    },
  },
];

/** A listener, and a promise of its being called. */
export function hearing(note: Note): { heard: Promise<unknown>; listener: () => void } {
  let listener = (): void => undefined;
  const heard = called((done) => (listener = noted(note, done)));
  return { heard, listener };
}

/** A command that an application defined by a script. */
export interface WithScript {
  addTo(key: string, by: number): Promise<number>;
}

/** As all versions take them. */
export const scripts: Record<string, never> = {
  addTo: {
    ...(defineScript({
      SCRIPT: "return redis.call('incrby', KEYS[1], ARGV[1])",
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string, by: number) {
        parser.pushKey(key);
        parser.push(String(by));
      },
      transformReply: (reply: unknown) => reply as never,
    }) as object),
    transformArguments: (key: string, by: number) => [key, String(by)],
    // Without it a cluster of version 4 asks servers at random, and gives up after 16.
    FIRST_KEY_INDEX: (key: string) => key,
  } as never,
};

function noted(note: Note, done: (...args: never[]) => void): (...args: unknown[]) => void {
  return (...args) => {
    note('callback');
    (done as (...args: unknown[]) => void)(...args);
  };
}

export function formsOf(library: Package): FormSuite {
  return {
    client: 'redis',
    service: 'redis',
    settings: [
      {
        name: 'one client',
        open: async (url) => {
          const target = library.createClient({ url, scripts });
          await target.connect();
          await target.set('{clew}:text', 'text');
          return { target, close: async () => target.destroy() };
        },
        forms: [...commands, ...clientForms],
      },
      {
        name: 'a pool of one',
        open: async (url) => {
          const target = library.createClientPool({ url }, { minimum: 1, maximum: 1 });
          await target.connect();
          return { target, close: async () => target.destroy() };
        },
        forms: [...commands, ...poolForms],
      },
      {
        name: 'a pool that connects first',
        open: async (url) => {
          const target = library.createClientPool({ url }, { minimum: 0, maximum: 1 });
          await target.connect();
          return { target, close: async () => target.destroy() };
        },
        forms: [...commands, ...poolForms],
      },
      {
        name: 'a client each',
        open: async (target) => ({ target, close: async () => undefined }),
        forms: connections(library),
      },
    ],
  };
}

export const redisForms: FormSuite = formsOf({ createClient, createClientPool });
