import { createRequire } from 'node:module';

import type Memcached from 'memcached';

import type { Form, FormSuite, Note, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

type Client = Memcached;
type Done = (...args: unknown[]) => void;

let keys = 0;
/** A key that no other caller uses. */
const unique = (): string => `clew:${process.pid}:${++keys}`;

/** A form of which a callback is all there is. */
const simple = (
  name: string,
  call: (client: Client, done: Done, key: string) => unknown,
  operations = 1,
): Form<Client> => ({
  name,
  operations,
  run: (client, note) =>
    called((done) => {
      call(client, noted(note, done), unique());
    }),
});

const noted =
  (note: Note, done: Done): Done =>
  (...args) => {
    note('callback');
    done(...args);
  };

const forms: Form<Client>[] = [
  simple('get', (client, done, key) => client.get(key, done)),
  simple('gets', (client, done, key) => client.gets(key, done)),
  simple('get of several', (client, done) => client.get(['clew:a', 'clew:b'] as never, done)),
  simple('getMulti', (client, done) => client.getMulti(['clew:a', 'clew:b'], done)),
  simple('set', (client, done, key) => client.set(key, 'secret-value', 10, done)),
  simple('add', (client, done, key) => client.add(key, { text: 'secret-value' }, 10, done)),
  simple('replace', (client, done) => client.replace('clew:a', 'secret-value', 10, done)),
  simple('append', (client, done) => client.append('clew:a', 'secret-value', done)),
  simple('prepend', (client, done) => client.prepend('clew:a', 'secret-value', done)),
  simple('incr', (client, done) => client.incr('clew:number', 4_242_424_242, done)),
  simple('decr', (client, done) => client.decr('clew:number', 4_242_424_242, done)),
  simple('del', (client, done, key) => client.del(key, done)),
  simple('delete', (client, done, key) => (client as never as Deleting).delete(key, done)),
  simple('touch', (client, done, key) => client.touch(key, 10, done)),
  simple('version', (client, done) => client.version(done)),
  simple('stats', (client, done) => client.stats(done)),
  simple('settings', (client, done) => client.settings(done)),
  simple('slabs', (client, done) => client.slabs(done)),
  simple('items', (client, done) => client.items(done)),
  simple('cachedump', (client, done) => {
    const [server = ''] = (client as never as { servers: string[] }).servers;
    client.cachedump(server, 1, 1, done);
  }),
  simple('flush', (client, done) => client.flush(done)),
  {
    name: 'cas',
    operations: 3,
    run: (client, note) =>
      called((done) => {
        const key = unique();
        client.set(key, 'secret-value', 10, () => {
          note('set');
          client.gets(key, (_error, found) => {
            note('got');
            client.cas(key, 'other secret-value', found.cas, 10, noted(note, done));
          });
        });
      }),
  },
  {
    name: 'three at once',
    operations: 3,
    run: (client, note) =>
      Promise.all([1, 2, 3].map(() => called((done) => client.get(unique(), noted(note, done))))),
  },
  {
    name: 'promise around it',
    run: async (client, note) => {
      await called((done) => client.get(unique(), done));
      note('continuation');
    },
  },
  simple('item that is there already', (client, done) =>
    client.add('clew:kept', 'secret-value', 10, done),
  ),
  simple('number that is none', (client, done) => client.incr('clew:kept', 1, done)),
  simple('key with a space', (client, done) => client.get('not a key', done)),
  simple('value that is too long', (client, done) => client.set('clew:long', long, 10, done), 0),
  simple('command of one’s own', (client, done) =>
    (client as never as Commanding).command(() => ({
      key: 'clew:a',
      callback: done,
      type: 'get',
      command: 'get clew:a',
    })),
  ),
];

interface Deleting {
  delete(key: string, done: Done): void;
}
interface Commanding {
  command(compile: () => object): void;
}

const long = 'x'.repeat(2 ** 21);

/** A client's own events. */
const listening: Form<Client> = {
  name: 'issue of a connection',
  run: (client, note) =>
    called((done) => {
      client.on('issue', () => note('issue'));
      client.get(unique(), noted(note, done));
    }),
};

export function formsOf(load: () => typeof Memcached): FormSuite {
  const setting = (
    name: string,
    some: Form<Client>[],
    serversOf: (host: string) => string[],
    connects = true,
  ): Setting<Client> => ({
    name,
    forms: some,
    open: async (url) => {
      const Client = load();
      const servers = serversOf(url.replace('memcached://', ''));
      // A client whose pool is full looks again after this time.
      const options = { poolSize: 1, minTimeout: 5, retries: 20, factor: 1 };
      const target = new Client(servers, options);
      if (connects) {
        await called((done) => target.set('clew:kept', 'secret-value', 100, done));
        await called((done) => target.set('clew:number', 42, 100, done));
        await called((done) => target.stats(done));
      }
      return { target, close: async () => target.end() };
    },
  });
  const byName = (host: string): string[] => [host, host.replace('127.0.0.1', 'localhost')];
  const isForAll = ({ name }: Form<Client>): boolean => name !== 'cachedump';
  return {
    client: 'memcached',
    service: 'memcached',
    settings: [
      setting('a pool of one', forms, (host) => [host]),
      setting('two servers', forms.filter(isForAll), byName),
      setting('a client that is not connected yet', forms.slice(0, 5), (host) => [host], false),
      setting('a server that is not there', [listening], () => ['127.0.0.1:1'], false),
    ],
  };
}

const require = createRequire(import.meta.url);

export const memcachedForms: FormSuite = formsOf(() => require('memcached') as typeof Memcached);
