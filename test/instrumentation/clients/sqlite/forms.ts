import type { Form } from '../../matrix/form.ts';

/** What better-sqlite3 and node:sqlite have in common. */
export interface SynchronousDatabase {
  exec(text: string): unknown;
  prepare(text: string): {
    run(...values: unknown[]): unknown;
    get(...values: unknown[]): unknown;
    all(...values: unknown[]): unknown[];
    iterate(...values: unknown[]): Iterable<unknown>;
  };
  function(name: string, implementation: (...args: never[]) => unknown): unknown;
  close(): unknown;
}

const ROWS = 'select 1 as n union select 2 union select 3';

export const synchronousForms: Form<SynchronousDatabase>[] = [
  {
    name: 'exec',
    run: async (db, note) => {
      db.exec('select 1; select 2');
      note('after');
    },
  },
  {
    name: 'exec that throws',
    run: async (db, note) => {
      try {
        db.exec('select wrong');
      } catch {
        note('catch');
      }
    },
  },
  {
    name: 'run, get and all of one statement',
    operations: 3,
    run: async (db, note) => {
      const statement = db.prepare('select ? as n');
      statement.run(1);
      note('run');
      statement.get(2);
      note('get');
      await Promise.resolve();
      statement.all(3);
      note('all');
    },
  },
  {
    name: 'statement that throws',
    run: async (db, note) => {
      const statement = db.prepare('insert into numbers values (?)');
      try {
        statement.run(1);
      } catch {
        note('catch');
      }
    },
  },
  {
    name: 'prepare that throws',
    operations: 0,
    run: async (db, note) => {
      try {
        db.prepare('select wrong');
      } catch {
        note('catch');
      }
    },
  },
  {
    name: 'iterate to the end',
    run: async (db, note) => {
      for (const row of db.prepare(ROWS).iterate()) note(typeof row);
      note('after the loop');
    },
  },
  {
    name: 'iterate with a break',
    run: async (db, note) => {
      for (const row of db.prepare(ROWS).iterate()) {
        note(typeof row);
        break;
      }
      note('after the loop');
    },
  },
  {
    name: 'spread',
    run: async (db, note) => {
      const rows = [...db.prepare(ROWS).iterate()];
      note(`${rows.length} rows`);
    },
  },
  {
    name: 'function of the user',
    run: async (db, note) => {
      db.function('noted', () => {
        note('function');
        return 1;
      });
      db.prepare('select noted()').get();
      note('after');
    },
  },
];

/** A database with a table that refuses a number twice. */
export function withNumbers<Db extends SynchronousDatabase>(db: Db): Db {
  db.exec('create table numbers (n integer primary key); insert into numbers values (1)');
  return db;
}
