import { createRequire } from 'node:module';

import type Database from 'better-sqlite3';

import type { Form, FormSuite } from '../../matrix/form.ts';
import { synchronousForms, withNumbers, type SynchronousDatabase } from '../sqlite/forms.ts';

export type Module = typeof Database;

const forms: Form<Database.Database>[] = [
  {
    name: 'transaction',
    operations: 3,
    run: async (db, note) => {
      db.transaction(() => {
        note('begun');
        db.prepare('select 1').get();
      })();
      note('committed');
    },
  },
  {
    name: 'transaction that throws',
    operations: 3,
    run: async (db, note) => {
      const fail = db.transaction(() => db.exec('select wrong'));
      try {
        fail.immediate();
      } catch {
        note('catch');
      }
    },
  },
  {
    name: 'nested transaction',
    operations: 5,
    run: async (db, note) => {
      const inner = db.transaction(() => void db.exec('select 1'));
      db.transaction(() => inner())();
      note('committed');
    },
  },
  {
    name: 'pragma',
    run: async (db, note) => {
      db.pragma('user_version', { simple: true });
      note('after');
    },
  },
  {
    name: 'bound statement, raw and plucked',
    operations: 2,
    run: async (db, note) => {
      db.prepare('select ?').bind(1).raw().all();
      note('raw');
      db.prepare('select ?').bind(1).pluck().get();
      note('plucked');
    },
  },
  {
    name: 'named values',
    run: async (db, note) => {
      db.prepare('select @n').get({ n: 1 });
      note('after');
    },
  },
];

/** The forms with the version that `require` finds for this Node. */
export function formsOf(load: () => Module): FormSuite {
  return {
    client: 'better-sqlite3',
    settings: [
      {
        name: 'one database',
        open: async () => {
          const target = withNumbers(new (load())(':memory:') as never as SynchronousDatabase);
          return { target, close: async () => target.close() };
        },
        forms: [...synchronousForms, ...(forms as never as Form<SynchronousDatabase>[])],
      },
    ],
  };
}

export const betterSqlite3Forms: FormSuite = formsOf(
  () => createRequire(import.meta.url)('better-sqlite3') as Module,
);
