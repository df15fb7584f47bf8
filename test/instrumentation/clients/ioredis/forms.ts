import { once } from 'node:events';

import { Redis, type Cluster } from 'ioredis';

import type { Form, FormSuite, Note, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

type Constructor = typeof Redis;

/** A command that an application defined by a script. */
interface WithScript {
  addTo(key: string, by: number, callback?: (...args: unknown[]) => void): Promise<number>;
}

/** What a command looks like to the application, whatever carries it. */
export const commands: Form<Redis>[] = [
  {
    name: 'callback',
    run: (redis, note) => called((done) => redis.get('{clew}:a', noted(note, done))),
  },
  {
    name: 'callback with an error',
    run: (redis, note) => called((done) => redis.lpush('{clew}:text', 'a', noted(note, done))),
  },
  {
    name: 'promise',
    run: async (redis, note) => {
      await redis.set('{clew}:a', '1');
      note('continuation');
    },
  },
  { name: 'then', run: (redis, note) => redis.get('{clew}:a').then(() => note('then')) },
  {
    name: 'rejected promise',
    run: (redis, note) => redis.lpush('{clew}:text', 'a').catch(() => note('catch')),
  },
  {
    name: 'call',
    run: async (redis, note) => {
      await redis.call('GET', '{clew}:a');
      note('continuation');
    },
  },
  {
    name: 'buffers',
    run: async (redis, note) => {
      await redis.getBuffer(Buffer.from('{clew}:a'));
      note('continuation');
    },
  },
  {
    name: 'three at once',
    operations: 3,
    run: async (redis, note) => {
      await Promise.all(['a', 'b', 'c'].map((key) => redis.get(key).then(() => note(key))));
    },
  },
  {
    name: 'scan stream, for await',
    run: async (redis, note) => {
      for await (const keys of redis.scanStream({ count: 1000 })) note(`keys ${typeof keys}`);
      note('after the loop');
    },
  },
  {
    name: 'scan stream events',
    run: async (redis, note) => {
      const stream = redis.hscanStream('{clew}:hash');
      stream.on('data', () => note('data'));
      await called((done) => stream.on('end', noted(note, done)));
    },
  },
  {
    name: 'script of the application',
    run: async (redis, note) => {
      await (redis as Redis & WithScript).addTo('{clew}:n', 1);
      note('continuation');
    },
  },
  {
    name: 'script of the application, callback',
    run: (redis, note) =>
      called((done) => void (redis as Redis & WithScript).addTo('{clew}:n', 1, noted(note, done))),
  },
  {
    name: 'script that the server has forgotten',
    operations: 3,
    run: async (redis, note) => {
      await (redis as Redis & WithScript).addTo('{clew}:n', 1);
      await redis.script('FLUSH');
      await (redis as Redis & WithScript).addTo('{clew}:n', 1);
      note('continuation');
    },
  },
];

export const batches: Form<Redis>[] = [
  {
    name: 'pipeline, promise',
    run: async (redis, note) => {
      await redis.pipeline().set('{clew}:a', 1).get('{clew}:a').exec();
      note('continuation');
    },
  },
  {
    name: 'pipeline, callbacks',
    run: (redis, note) =>
      called((done) => {
        const pipeline = redis.pipeline();
        pipeline.get('{clew}:a', () => note('command'));
        void pipeline.get('{clew}:b').exec(noted(note, done));
      }),
  },
  {
    name: 'pipeline of a list',
    run: async (redis, note) => {
      await redis
        .pipeline([
          ['get', '{clew}:a'],
          ['lpush', '{clew}:text', 'a'],
        ])
        .exec();
      note('continuation');
    },
  },
  {
    name: 'pipeline never executed',
    operations: 0,
    run: async (redis, note) => {
      redis.pipeline().get('{clew}:a');
      redis.multi().get('{clew}:a');
      note('left alone');
    },
  },
  {
    name: 'transaction, promise',
    run: async (redis, note) => {
      await redis.multi().set('{clew}:a', 1).get('{clew}:a').exec();
      note('continuation');
    },
  },
  {
    name: 'transaction, callback',
    run: (redis, note) =>
      called((done) => redis.multi().set('{clew}:a', 1).exec(noted(note, done))),
  },
  {
    name: 'transaction that is refused',
    run: (redis, note) =>
      redis
        .multi()
        .call('get')
        .exec()
        .catch(() => note('catch')),
  },
  {
    name: 'script in a pipeline',
    run: async (redis, note) => {
      const pipeline = redis.pipeline() as ReturnType<Redis['pipeline']> & WithScript;
      void pipeline.addTo('{clew}:n', 1);
      await pipeline.get('{clew}:n').exec();
      note('continuation');
    },
  },
];

/** What needs a connection of its own. */
const connections = (Client: Constructor): Form<string>[] => [
  {
    name: 'connect and quit',
    operations: 2,
    run: async (url, note) => {
      const redis = new Client(url, { lazyConnect: true });
      await called((done) => void redis.connect(noted(note, done)));
      await redis.get('{clew}:a');
      note('get');
      await called((done) => void redis.quit(noted(note, done)));
    },
  },
  {
    name: 'events of the connection',
    operations: 1,
    run: async (url, note) => {
      const redis = new Client(url);
      redis.on('connect', () => note('connect')).once('ready', () => note('ready'));
      await redis.get('{clew}:a');
      const ended = called((done) => redis.on('end', noted(note, done)));
      redis.disconnect();
      await ended;
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: async (_url, note) => {
      const redis = new Client({ port: 1, lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => note('error'));
      await redis.connect().catch(() => note('catch'));
    },
  },
  {
    name: 'transaction without a pipeline',
    operations: 3,
    run: async (url, note) => {
      const redis = new Client(url);
      await once(redis, 'ready');
      await redis.multi({ pipeline: false });
      await redis.get('{clew}:a');
      note('queued');
      await redis.exec();
      note('executed');
      redis.disconnect();
    },
  },
  {
    name: 'subscribe, message',
    operations: 3,
    run: async (url, note) => {
      const subscriber = new Client(url);
      const publisher = new Client(url);
      const heard = called((done) => subscriber.once('message', noted(note, done)));
      await called((done) => void subscriber.subscribe('clew:news', noted(note, done)));
      await publisher.publish('clew:news', 'hello');
      await heard;
      await subscriber.unsubscribe();
      note('unsubscribed');
      subscriber.disconnect();
      publisher.disconnect();
    },
  },
  {
    name: 'psubscribe, pmessageBuffer',
    operations: 2,
    run: async (url, note) => {
      const subscriber = new Client(url);
      const publisher = new Client(url);
      await subscriber.psubscribe('clew:*');
      const heard = called((done) => subscriber.on('pmessageBuffer', noted(note, done)));
      await publisher.publish('clew:news', 'hello');
      await heard;
      subscriber.disconnect();
      publisher.disconnect();
    },
  },
  {
    name: 'commands of a stream',
    operations: 2,
    run: async (url, note) => {
      const redis = new Client(url);
      const id = await redis.xadd('clew:stream', '*', 'field', 'value');
      note(`added ${typeof id}`);
      await redis.xread('COUNT', 1, 'BLOCK', 10, 'STREAMS', 'clew:stream', '0');
      note('read');
      redis.disconnect();
    },
  },
];

/** A callback that notes where it runs, and hands on. */
export function noted(note: Note, done: (...args: never[]) => void): (...args: unknown[]) => void {
  return (...args) => {
    note('callback');
    (done as (...args: unknown[]) => void)(...args);
  };
}

export const ADD_TO: { numberOfKeys: number; lua: string } = {
  numberOfKeys: 1,
  lua: "return redis.call('incrby', KEYS[1], ARGV[1])",
};

/** A connection that is ready, with what the forms need in the database. */
async function open(
  Client: Constructor,
  url: string,
  options: object,
): ReturnType<Setting<Redis>['open']> {
  const target = new Client(url, options);
  target.defineCommand('addTo', ADD_TO);
  await target.set('{clew}:text', 'text');
  await target.del('{clew}:hash');
  await target.hset('{clew}:hash', 'a', 1, 'b', 2);
  return { target, close: () => closed(target) };
}

export async function closed(redis: Redis | Cluster): Promise<void> {
  if (redis.status === 'end') return;
  const end = once(redis, 'end');
  redis.disconnect();
  await end;
}

export function formsOf(client: string, Client: Constructor): FormSuite {
  return {
    client,
    service: 'redis',
    settings: [
      {
        name: 'one connection',
        open: (url) => open(Client, url, {}),
        forms: [...commands, ...batches],
      },
      {
        name: 'auto-pipelining',
        open: (url) => open(Client, url, { enableAutoPipelining: true }),
        forms: [...commands, ...batches],
      },
      {
        name: 'not connected yet',
        open: async (url) => {
          const target = new Client(url, { lazyConnect: true });
          target.defineCommand('addTo', ADD_TO);
          return { target, close: () => closed(target) };
        },
        forms: [...commands.slice(0, 6), ...batches],
      },
      {
        name: 'a connection each',
        open: async (target) => ({ target, close: async () => undefined }),
        forms: connections(Client),
      },
    ],
  };
}

/** Without what a version cannot do: in 5.0 `call` loses an argument under auto-pipelining. */
export function workingSettings(
  version: string,
  settings: FormSuite['settings'],
): FormSuite['settings'] {
  return settings.map((setting) => ({
    ...setting,
    forms: setting.forms.filter(
      ({ name }) =>
        version !== 'ioredis 5.0' || !setting.name.endsWith('auto-pipelining') || name !== 'call',
    ),
  }));
}

export const ioredisForms: FormSuite = formsOf('ioredis', Redis);
