import type { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';

import { requireNative } from '../../../support/native-modules.ts';
import { requireBetterSqlite3 } from '../better-sqlite3/support.ts';
import { NEWEST } from '../sqlite3/forms.ts';
import { require, soon, type EventScenario } from './scenario.ts';

/* Databases in this process call back in the course of the call that they do it for. */

type Method = (...args: unknown[]) => any;
const called = (start: (done: Method) => unknown): Promise<unknown> =>
  new Promise((resolve) => {
    start((error, result) => resolve(error ?? result));
  });

// Starting one takes seconds.
let shared: Promise<PGlite> | undefined;

async function startPglite(load: NodeJS.Require): Promise<PGlite> {
  const { PGlite: Class } = load('@electric-sql/pglite') as { PGlite: typeof PGlite };
  return Class.create({ loadDataDir: await dataDir() });
}

const pglite: EventScenario[] = [
  {
    client: 'pglite',
    name: 'notices, notifications and parsers',
    async run({ require, hears, as }) {
      const db = await (shared ??= startPglite(require));
      const unheard = db.onNotification(hears('onNotification'));
      const unlisten = await db.listen('clew_events', hears('listen'));
      await as('a', () => db.query('notify clew_events'));
      const parsers = { 23: hears('a parser') };
      await as('c', () => db.query('select 1', [], { parsers, onNotice: hears('onNotice') }));
      const raise = "do $$ begin raise notice 'x'; end $$";
      await as('d', () => db.exec(raise, { onNotice: hears('onNotice') }));
      await as('e', () => db.transaction((each) => each.query('notify clew_events')));
      unheard();
      await unlisten();
    },
  },
];

const sqlite3: EventScenario = {
  client: 'sqlite3',
  name: 'a database that two use',
  find: (suite) => requireNative(suite, NEWEST),
  async run({ require, hears, listen, as }) {
    const { Database } = require('sqlite3');
    const db = new Database(':memory:');
    listen(db, ['open', 'close', 'error', 'trace', 'profile', 'change']);
    await as('a', () => called((done) => db.run('create table t (id int)', done)));
    await as('b', () => called((done) => db.run('insert into t values (1)', done)));
    await as('c', async () => void db.exec('wrong'));
    await as('d', () => called((done) => db.each('select 1', hears('a row'), done)));
    const statement = db.prepare('select 1');
    statement.on('error', hears('error of a statement'));
    await as('e', () => called((done) => statement.get(done)));
    await as('f', () => called((done) => statement.finalize(done)));
    await soon(50);
    await as('g', () => called((done) => db.close(done)));
    await soon(50);
  },
};

const betterSqlite3: EventScenario = {
  client: 'better-sqlite3',
  name: 'functions, aggregates, tables and its log',
  find: requireBetterSqlite3,
  async run({ require, hears, as }) {
    const Database = require('better-sqlite3');
    const db = new Database(':memory:', { verbose: hears('verbose') });
    db.function('f', () => hears('a function')());
    db.aggregate('g', {
      start: () => hears('the start of an aggregate')(),
      step: (_state: unknown, _value: unknown) => hears('a step of an aggregate')(),
      result: () => hears('the result of an aggregate')(),
    });
    db.table('t', {
      columns: ['n'],
      *rows() {
        hears('a table')();
        yield [1];
      },
    });
    await as('a', async () => db.exec('select f()'));
    const statement = db.prepare('select g(n), f() from t');
    await as('b', async () => statement.all());
    await as('c', async () => [...statement.iterate()]);
    await as('d', async () => db.transaction(() => statement.get())());
    await as('e', async () => db.backup(':memory:', { progress: () => 1 }).catch(() => undefined));
    db.close();
  },
};

const nodeSqlite: EventScenario = {
  client: 'node:sqlite',
  name: 'functions, aggregates, authorizers and change sets',
  find(suite) {
    // Node 20 has none.
    return process.getBuiltinModule?.('node:sqlite') ? require : suite.skip();
  },
  async run({ hears, as }) {
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(':memory:');
    db.function?.('f', () => (hears('a function')(), 1));
    const step = (_state: unknown, _value: unknown): number => (hears('a step')(), 1);
    db.aggregate?.('g', { start: 0, step });
    db.setAuthorizer?.(() => (hears('an authorizer')(), 0));
    await as('a', async () => db.exec('create table t (id integer primary key)'));
    if (db.function) await as('b', async () => db.prepare('select f()').all());
    if (db.aggregate) await as('c', async () => db.prepare('select g(1)').get());
    if (db.createSession) {
      const copy = new DatabaseSync(':memory:');
      copy.exec('create table t (id integer primary key); insert into t values (1)');
      const session = db.createSession();
      await as('d', async () => db.exec('insert into t values (1)'));
      const filter = (): boolean => (hears('a filter')(), true);
      const onConflict = (): number => (hears('a conflict')(), 0);
      await as('e', async () => copy.applyChangeset(session.changeset(), { filter, onConflict }));
      copy.close();
    }
    db.close();
  },
};

export const embedded: EventScenario[] = [...pglite, sqlite3, betterSqlite3, nodeSqlite];
