import { randomInt } from 'node:crypto';
import { createRequire } from 'node:module';

import type { PGlite, PGliteInterface, PGliteOptions } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';

import type { Form, FormSuite } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

const forms: Form<PGliteInterface>[] = [
  {
    name: 'query',
    run: async (db, note) => {
      await db.query('select $1::int', [1]);
      note('continuation');
    },
  },
  {
    name: 'query, rejected',
    run: (db, note) => db.query('select wrong').catch(() => note('catch')),
  },
  {
    name: 'sql',
    run: async (db, note) => {
      await db.sql`select ${1}::int`;
      note('continuation');
    },
  },
  {
    name: 'exec',
    run: async (db, note) => {
      await db.exec('select 1; select 2');
      note('continuation');
    },
  },
  {
    name: 'exec, rejected',
    run: (db, note) => db.exec('select wrong').catch(() => note('catch')),
  },
  {
    name: 'describeQuery',
    run: async (db, note) => {
      await db.describeQuery('select $1::int');
      note('continuation');
    },
  },
  {
    name: 'a parser of the user',
    run: async (db, note) => {
      const parse = (): void => note('parser');
      await db.query('select 1::int as n', [], { parsers: { 23: parse } });
    },
  },
  {
    name: 'transaction',
    operations: 5,
    run: async (db, note) => {
      await db.transaction(async (transaction) => {
        note('begun');
        await transaction.query('select $1::int', [1]);
        note('queried');
        await transaction.sql`select ${1}::int`;
        await transaction.exec('select 1');
      });
      note('committed');
    },
  },
  {
    name: 'transaction that fails',
    operations: 3,
    run: async (db, note) => {
      const failed = db.transaction((transaction) => transaction.query('select wrong'));
      await failed.catch(() => note('rolled back'));
    },
  },
  {
    name: 'transaction that is rolled back',
    operations: 2,
    run: async (db, note) => {
      await db.transaction((transaction) => transaction.rollback());
      note('rolled back');
    },
  },
  {
    name: 'notification',
    operations: 3,
    run: async (db, note) => {
      const channel = `clew${randomInt(2 ** 40)}`;
      let heard = (): void => undefined;
      const notified = called((done) => {
        heard = done;
      });
      const listener = (): void => {
        note('notification');
        heard();
      };
      await db.listen(channel, listener);
      note('listening');
      await db.query('select pg_notify($1, $2)', [channel, 'payload']);
      await notified;
      await db.unlisten(channel, listener);
      note('silent');
    },
  },
];

/** The forms with a version of the client, by its alias. */
export function formsOf(name: string): FormSuite {
  const load = (): { PGlite: typeof PGlite } =>
    createRequire(import.meta.url)(name) as { PGlite: typeof PGlite };
  const isAlias = name !== '@electric-sql/pglite';
  const options = async (): Promise<PGliteOptions> =>
    isAlias ? {} : { loadDataDir: await dataDir() };
  const start = async (): Promise<PGlite> => load().PGlite.create(await options());
  // Starting one takes seconds, so there is one for all forms.
  let shared: Promise<PGlite> | undefined;
  return {
    client: 'pglite',
    ...(isAlias && { instrument: (instrument: (exports: unknown) => void) => instrument(load()) }),
    settings: [
      {
        name: 'one database',
        open: async () => {
          shared ??= start();
          return { target: await shared, close: async () => undefined };
        },
        forms,
      },
    ],
  };
}

export const pgliteForms: FormSuite = formsOf('@electric-sql/pglite');
