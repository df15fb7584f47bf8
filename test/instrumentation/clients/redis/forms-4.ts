import * as redis4 from 'redis-4';
import type { commandOptions, createClient, RedisClientType } from 'redis-4';

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

/** What makes clients: that of the first or the last of version 4. */
export interface Package4 {
  createClient: typeof createClient;
  commandOptions: typeof commandOptions;
}

const commands = (library: Package4): Form<Client>[] => [
  ...commonForms,
  script,
  forgottenScript,
  {
    name: 'sendCommand',
    run: async (client, note) => {
      await client.sendCommand(['GET', '{clew}:a']);
      note('continuation');
    },
  },
  {
    name: 'command options',
    run: async (client, note) => {
      await client.get(library.commandOptions({ returnBuffers: true }), '{clew}:a');
      note('continuation');
    },
  },
  {
    name: 'isolated command',
    run: async (client, note) => {
      await client.get(library.commandOptions({ isolated: true }), '{clew}:a');
      note('continuation');
    },
  },
  {
    name: 'executeIsolated',
    operations: 2,
    run: async (client, note) => {
      await client.executeIsolated(async (isolated) => {
        note('in the task');
        await isolated.set('{clew}:a', '1');
        await isolated.get('{clew}:a');
        note('after the command');
      });
      note('continuation');
    },
  },
  {
    name: 'transaction with an error',
    run: async (client, note) => {
      const multi = client.multi().lPush('{clew}:text', 'a').get('{clew}:a');
      // The first of the line resolves with the error, the last rejects.
      await multi.exec().catch(() => undefined);
      note('continuation');
    },
  },
  {
    name: 'pipeline',
    run: async (client, note) => {
      await client.multi().set('{clew}:a', '1').get('{clew}:a').exec(true);
      note('continuation');
    },
  },
  {
    name: 'iterator',
    run: async (client, note) => {
      for await (const key of client.scanIterator({ COUNT: 1000 })) note(`key ${typeof key}`);
      note('after the loop');
    },
  },
  {
    name: 'command of a module',
    run: (client, note) =>
      (client as unknown as WithModule).own.read('{clew}:a').then(() => note('then')),
  },
  {
    name: 'select',
    run: async (client, note) => {
      await client.select(0);
      note('continuation');
    },
  },
];

const legacy: Form<Legacy>[] = [
  {
    name: 'callback',
    run: (client, note) => called((done) => client.set('{clew}:a', '1', noted(note, done))),
  },
  {
    name: 'callback with a transformed reply',
    run: (client, note) => called((done) => client.hgetall('{clew}:hash', noted(note, done))),
  },
  {
    name: 'callback with an error',
    run: (client, note) => called((done) => client.lpush('{clew}:text', 'a', noted(note, done))),
  },
  {
    name: 'sendCommand with a callback',
    run: (client, note) =>
      called((done) => client.sendCommand('GET', '{clew}:a', noted(note, done))),
  },
  {
    name: 'transaction',
    run: (client, note) =>
      called((done) => client.multi().set('{clew}:a', '1').get('{clew}:a').exec(noted(note, done))),
  },
  {
    name: 'promise of v4',
    run: async (client, note) => {
      await client.v4.get('{clew}:a');
      note('continuation');
    },
  },
  {
    name: 'sendCommand of v4',
    run: async (client, note) => {
      await client.v4.sendCommand(['GET', '{clew}:a']);
      note('continuation');
    },
  },
  {
    name: 'no callback',
    operations: 2,
    run: (client, note) =>
      called((done) => {
        client.set('{clew}:a', '1');
        client.get('{clew}:a', noted(note, done));
      }),
  },
];

const connections = (library: Package4): Form<string>[] => [
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
    name: 'commands before it is connected',
    operations: 2,
    run: async (url, note) => {
      const client = library.createClient({ url });
      const connected = client.connect();
      await Promise.all([client.get('{clew}:a'), client.get('{clew}:b')]);
      note('continuation');
      await connected;
      await client.disconnect();
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: async (_url, note) => {
      const client = library.createClient({
        socket: { port: 1, reconnectStrategy: () => new Error('no') },
      });
      client.on('error', () => note('error'));
      await client.connect().catch(() => note('catch'));
    },
  },
  {
    name: 'subscribe, message',
    operations: 3,
    run: async (url, note) => {
      const [subscriber, publisher] = [
        library.createClient({ url }),
        library.createClient({ url }),
      ];
      await Promise.all([subscriber.connect(), publisher.connect()]);
      const { heard, listener } = hearing(note);
      await subscriber.subscribe('clew:news', listener);
      await publisher.publish('clew:news', 'hello');
      await heard;
      await subscriber.unsubscribe('clew:news', listener);
      note('unsubscribed');
      await Promise.all([subscriber.disconnect(), publisher.disconnect()]);
    },
  },
  {
    name: 'psubscribe with buffers',
    operations: 2,
    run: async (url, note) => {
      const [subscriber, publisher] = [
        library.createClient({ url }),
        library.createClient({ url }),
      ];
      await Promise.all([subscriber.connect(), publisher.connect()]);
      const { heard, listener } = hearing(note);
      await subscriber.pSubscribe('clew:*', listener, true);
      await publisher.publish('clew:news', 'hello');
      await heard;
      await Promise.all([subscriber.disconnect(), publisher.disconnect()]);
    },
  },
];

/** A client in legacy mode, whose methods take callbacks. */
type Callback = (...args: unknown[]) => void;
interface Legacy {
  set(key: string, value: string, callback?: Callback): void;
  get(key: string, callback: Callback): void;
  hgetall(key: string, callback: Callback): void;
  lpush(key: string, value: string, callback: Callback): void;
  sendCommand(...args: [...string[], Callback]): void;
  multi(): LegacyMulti;
  v4: Client;
}
interface LegacyMulti {
  set(key: string, value: string): LegacyMulti;
  get(key: string): LegacyMulti;
  exec(callback: Callback): void;
}

/** A command that the application defined in a module. */
interface WithModule {
  own: { read(key: string): Promise<string> };
}

const modules = {
  own: {
    read: {
      FIRST_KEY_INDEX: 1,
      transformArguments: (key: string) => ['GET', key],
      transformReply: (reply: string) => reply,
    },
  },
};

export function formsOf4(library: Package4): FormSuite {
  const open = async (url: string, options: object): Promise<Client> => {
    const client = library.createClient({ url, scripts, modules, ...options });
    await client.connect();
    return client as unknown as Client;
  };
  return {
    client: 'redis',
    service: 'redis',
    settings: [
      {
        name: 'one client',
        open: async (url) => {
          const target = await open(url, {});
          await target.set('{clew}:text', 'text');
          return { target, close: () => target.disconnect() };
        },
        forms: commands(library),
      },
      {
        name: 'isolation pool of one',
        open: async (url) => {
          const target = await open(url, { isolationPoolOptions: { min: 0, max: 1 } });
          return { target, close: () => target.disconnect() };
        },
        forms: commands(library).filter(({ name }) => /isolated/i.test(name)),
      },
      {
        name: 'legacy mode',
        open: async (url) => {
          const target = await open(url, { legacyMode: true });
          await target.v4.set('{clew}:text', 'text');
          return { target, close: () => target.disconnect() };
        },
        forms: legacy,
      },
      {
        name: 'a client each',
        open: async (target) => ({ target, close: async () => undefined }),
        forms: connections(library),
      },
    ],
  };
}

export const redis4Forms: FormSuite = formsOf4(redis4);
