import { createRequire } from 'node:module';

import newest, { type Knex } from 'knex';
import semver from 'semver';

import { nativeModule } from '../../../support/native-modules.ts';
import type { ServiceName } from '../../../support/services.ts';
import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import { NEWEST as SQLITE3 } from '../sqlite3/forms.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let createKnex: typeof newest = newest;

/** Rows that the server refuses when it runs the statement: better-sqlite3 prepares without a span. */
const SAME_KEY = [{ id: 7 }, { id: 7 }];

const forms: Form<Knex>[] = [
  {
    name: 'await a builder',
    run: async (knex, note) => {
      await knex.select(knex.raw('1 as n'));
      note('continuation');
    },
  },
  {
    name: 'then of a builder',
    run: (knex, note) =>
      new Promise((resolve) => {
        void knex.select(knex.raw('1 as n')).then(() => {
          note('then');
          resolve(undefined);
        });
      }),
  },
  {
    name: 'callback of a builder',
    run: (knex, note) =>
      called((done) => {
        void knex.select(knex.raw('1 as n')).asCallback(() => {
          note('callback');
          done();
        });
      }),
  },
  {
    name: 'raw',
    run: async (knex, note) => {
      await knex.raw('select ? as n', [1]);
      note('continuation');
    },
  },
  {
    name: 'an error',
    run: (knex, note) =>
      knex('things')
        .insert(SAME_KEY)
        .catch(() => note('catch')),
  },
  {
    name: 'stream events',
    run: (knex, note) =>
      called((done) => {
        knex
          .select(knex.raw('1 as n'))
          .stream()
          .on('data', () => note('data'))
          .on('end', () => {
            note('end');
            done();
          });
      }),
  },
  {
    name: 'stream, for await',
    run: async (knex, note) => {
      for await (const row of knex.select(knex.raw('1 as n')).stream()) note(`row ${typeof row}`);
      note('after the loop');
    },
  },
  {
    name: 'events of a builder',
    run: async (knex, note) => {
      await knex
        .select(knex.raw('1 as n'))
        .on('query', () => note('query'))
        .on('query-response', () => note('response'));
      note('continuation');
    },
  },
  {
    name: 'transaction',
    operations: 3,
    run: async (knex, note) => {
      await knex.transaction(async (transaction) => {
        note('begun');
        await transaction.raw('select 1');
        note('queried');
      });
      note('committed');
    },
  },
  {
    name: 'transaction that is rolled back',
    operations: 3,
    run: (knex, note) =>
      knex
        .transaction(async (transaction) => {
          await transaction('things')
            .insert(SAME_KEY)
            .catch(() => note('catch'));
          throw new Error('planted');
        })
        .catch(() => note('rolled back')),
  },
  {
    name: 'transaction without a callback',
    operations: 3,
    run: async (knex, note) => {
      const transaction = await knex.transaction();
      note('begun');
      void transaction.executionPromise.then(() => note('execution promise'));
      await transaction.select(transaction.raw('1 as n'));
      note('queried');
      await transaction.commit();
      note('committed');
    },
  },
  {
    name: 'savepoint',
    operations: 5,
    run: async (knex, note) => {
      await knex.transaction(async (outer) => {
        await outer.transaction(async (inner) => {
          note('nested');
          await inner.raw('select 1');
        });
        note('released');
      });
      note('committed');
    },
  },
  {
    name: 'insert of several rows, upsert, update, delete',
    operations: 4,
    run: async (knex, note) => {
      await knex('things').insert([{ name: 'a' }, { name: 'b' }]);
      note('inserted');
      await knex('things').insert({ id: 1, name: 'c' }).onConflict('id').merge();
      note('merged');
      await knex('things').where('id', 1).update({ name: 'd' });
      note('updated');
      await knex('things').where('name', 'b').del();
      note('deleted');
    },
  },
  {
    name: 'batchInsert',
    operations: 4,
    run: async (knex, note) => {
      await knex.batchInsert('things', [{ name: 'a' }, { name: 'b' }], 1);
      note('continuation');
    },
  },
  {
    name: 'schema builder',
    run: async (knex, note) => {
      await knex.schema.hasTable('nowhere');
      note('continuation');
    },
  },
];

const waiting: Form<Knex>[] = [
  {
    name: 'no connection in time',
    operations: 0,
    run: (knex, note) => knex.raw('select 1').catch(() => note('catch')),
  },
  {
    name: 'no connection in time for a stream',
    operations: 0,
    run: (knex, note) =>
      called((done) => {
        const stream = knex.select(knex.raw('1 as n')).stream();
        stream.on('error', () => {
          note('error');
          done();
        });
        stream.resume();
      }),
  },
  {
    name: 'no connection in time for a transaction',
    operations: 0,
    run: (knex, note) => knex.transaction().catch(() => note('catch')),
  },
];

/** What differs between the drivers. */
export interface Driver {
  client: string;
  service?: ServiceName;
  /** The type of a key that counts by itself. */
  key: string;
  /** Finds a driver that is not where knex would look for it. */
  load?: () => unknown;
}

export const DRIVERS: readonly Driver[] = [
  { client: 'pg', service: 'postgresql', key: 'serial' },
  { client: 'mysql2', service: 'mariadb', key: 'integer auto_increment' },
  { client: 'mysql', service: 'mariadb', key: 'integer auto_increment' },
  { client: 'mariadb', service: 'mariadb', key: 'integer auto_increment' },
  { client: 'better-sqlite3', key: 'integer', load: loadBetterSqlite3 },
  {
    client: 'sqlite3',
    key: 'integer',
    load: () => found(nativeModule(SQLITE3))('sqlite3'),
  },
];

/** Version 13 ends a Node older than 22. */
function loadBetterSqlite3(): unknown {
  const require = semver.gte(process.version, '22.0.0')
    ? createRequire(import.meta.url)
    : found(nativeModule({ name: 'better-sqlite3', version: '12.0.0' }));
  return require('better-sqlite3');
}

function found(native: NodeJS.Require | string): NodeJS.Require {
  if (typeof native === 'string') throw new Error(native);
  return native;
}

export function createOver({ client, load }: Driver, url: string): Knex {
  return createKnex({
    client: load ? withDriver(client, load) : client,
    connection: load ? { filename: ':memory:' } : url,
    pool: { min: 0, max: 1 },
    useNullAsDefault: true,
    // It complains to the console of every connection that was not to be had.
    log: { warn: () => undefined },
  });
}

/** knex's own class for `client`, with the driver that `load` finds. */
function withDriver(client: string, load: () => unknown): typeof Knex.Client {
  const { constructor } = (createKnex({ client }) as Knex & { client: Knex.Client }).client;
  return class extends (constructor as typeof Knex.Client) {
    _driver(): unknown {
      return load();
    }
  };
}

function settingsOver(driver: Driver): Setting<Knex>[] {
  return [
    {
      name: 'a pool of one',
      open: async (url) => {
        const target = createOver(driver, url);
        await target.raw(
          `create temporary table things (id ${driver.key} primary key, name varchar(9))`,
        );
        return { target, close: () => target.destroy() };
      },
      forms,
    },
    {
      name: 'a pool of one that is taken',
      open: async (url) => {
        const target = createOver(driver, url);
        const { client } = target as Knex & { client: Knex.Client };
        const taken = (await client.acquireConnection()) as unknown;
        // Not before it is open, which may take longer.
        (client.pool as { acquireTimeoutMillis: number }).acquireTimeoutMillis = 50;
        const close = async (): Promise<void> => {
          await client.releaseConnection(taken);
          await target.destroy();
        };
        return { target, close };
      },
      forms: waiting,
    },
  ];
}

/** Opens what is tried from now on with `version`. */
export function useVersion(version: typeof newest = newest): void {
  createKnex = version;
}

/** By the driver underneath. */
export const KNEX_OVER: Readonly<Record<string, FormSuite>> = Object.fromEntries(
  DRIVERS.map((driver): [string, FormSuite] => [
    driver.client,
    {
      client: 'knex',
      ...(driver.service ? { service: driver.service } : {}),
      drivers: [driver.client],
      settings: settingsOver(driver),
    },
  ]),
);
