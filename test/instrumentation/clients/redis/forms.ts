import {
  createClient,
  createClientPool,
  type RedisClientPoolType,
  type RedisClientType,
} from 'redis';

import type { Form, FormSuite } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import {
  commonForms,
  forgottenScript,
  hearing,
  noted,
  script,
  scripts,
  type Scripted,
} from './common-forms.ts';

type Client = RedisClientType & Scripted;
type Pool = RedisClientPoolType;

/** What makes clients: that of one version or another. */
export interface Package {
  createClient: typeof createClient;
  createClientPool: typeof createClientPool;
}

export const commands: Form<Client | Pool>[] = [
  ...commonForms,
  {
    name: 'sendCommand',
    run: async (target, note) => {
      await target.sendCommand(['GET', '{clew}:a']);
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
];

const clientForms: Form<Client>[] = [
  script,
  forgottenScript,
  {
    name: 'iterator',
    run: async (client, note) => {
      for await (const keys of client.scanIterator({ COUNT: 1000 })) note(`keys ${typeof keys}`);
      note('after the loop');
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
          await target.set('{clew}:text', 'text');
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
