import newest, { type Connection, type Pool, type PoolConfig } from 'mysql';

import type { Form, FormSuite, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let mysql: typeof newest = newest;

const ROWS = 'select 1 as n union select 2 union select 3';

/** What connections, pools and the parts of a cluster have in common. */
type Queryable = Pick<Pool, 'query'>;

const queries: Form<Queryable>[] = [
  {
    name: 'query with a callback',
    run: (target, note) => called((done) => target.query('select 1', noted(note, done))),
  },
  {
    name: 'query with values',
    run: (target, note) => called((done) => target.query('select ?', [1], noted(note, done))),
  },
  {
    name: 'query with an options object',
    run: (target, note) =>
      called((done) => {
        target.query(Object.freeze({ sql: 'select ?', values: [1] }), noted(note, done));
      }),
  },
  {
    name: 'query with an error',
    run: (target, note) => called((done) => target.query('select wrong', noted(note, done))),
  },
  {
    name: 'query events',
    run: (target, note) =>
      called((done) => {
        target
          .query(ROWS)
          .on('fields', () => note('fields'))
          .on('result', () => note('result'))
          .on('end', noted(note, done));
      }),
  },
  {
    name: 'query error event',
    run: (target, note) =>
      called((done) => {
        target.query('select wrong').on('error', noted(note, done));
      }),
  },
  {
    name: 'query stream',
    run: (target, note) =>
      called((done) => {
        target
          .query(ROWS)
          .stream()
          .on('data', () => note('data'))
          .on('end', () => note('end'))
          .on('close', noted(note, done));
      }),
  },
];

const connectionForms: Form<Connection>[] = [
  {
    name: 'multi-statement',
    run: (connection, note) =>
      called((done) => connection.query('select 1; select 2', noted(note, done))),
  },
  {
    name: 'transaction',
    operations: 4,
    run: async (connection, note) => {
      await called((done) => connection.beginTransaction(noted(note, done)));
      await called((done) => connection.query('select 1', noted(note, done)));
      await called((done) => connection.commit(noted(note, done)));
      await called((done) => connection.rollback(noted(note, done)));
    },
  },
  {
    name: 'ping, statistics and changeUser',
    operations: 0,
    run: async (connection, note) => {
      await called((done) => connection.ping(noted(note, done)));
      await called((done) => connection.statistics(noted(note, done)));
      await called((done) => connection.changeUser({}, noted(note, done)));
    },
  },
  {
    name: 'typeCast of one query',
    run: (connection, note) =>
      called((done) => {
        const typeCast = (_field: unknown, next: () => unknown): unknown => {
          note('typeCast');
          return next();
        };
        connection.query({ sql: ROWS, typeCast }, noted(note, done));
      }),
  },
];

const poolForms: Form<Pool>[] = [
  {
    name: 'pool events',
    run: async (pool, note) => {
      const released = called((done) => pool.once('release', noted(note, done)));
      pool.once('acquire', () => note('acquire'));
      await called((done) => pool.query('select 1', noted(note, done)));
      await released;
    },
  },
  {
    name: 'getConnection',
    run: (pool, note) =>
      called((done) =>
        pool.getConnection((_error, connection) => {
          note('connected');
          connection.query('select 1', () => {
            note('queried');
            connection.release();
            done();
          });
        }),
      ),
  },
];

const connecting: Form<string>[] = [
  {
    name: 'connect and end with callbacks',
    run: async (url, note) => {
      const connection = mysql.createConnection(url);
      await called((done) => connection.connect(noted(note, done)));
      await called((done) => connection.query('select 1', noted(note, done)));
      await called((done) => connection.end(noted(note, done)));
    },
  },
  {
    name: 'query before connect',
    run: async (url, note) => {
      const connection = mysql.createConnection(url);
      await called((done) => connection.query('select 1', noted(note, done)));
      await called((done) => connection.end(noted(note, done)));
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: (url, note) => {
      const connection = mysql.createConnection(url.replace(/\/clew$/, '/nowhere'));
      return called((done) => connection.connect(noted(note, done)));
    },
  },
];

/** A callback that notes where it runs, and hands on. */
function noted(note: Note, done: () => void): () => void {
  return () => {
    note('callback');
    done();
  };
}

function opening<Target extends { end(callback: () => void): void }>(
  open: (url: string) => Target,
): (url: string) => Promise<{ target: Target; close(): Promise<unknown> }> {
  return async (url) => {
    const target = open(url);
    return { target, close: () => called((done) => target.end(() => done())) };
  };
}

function createCluster(url: string): Queryable & { end(callback: () => void): void } {
  const cluster = mysql.createPoolCluster();
  // A URL is as good as an object; the types do not know that.
  cluster.add('one', `${url}?connectionLimit=1` as unknown as PoolConfig);
  const part = cluster.of('*', 'RR');
  return {
    query: ((...args: unknown[]) => Reflect.apply(part.query, part, args)) as Pool['query'],
    end: (callback) => cluster.end(callback),
  };
}

/** Opens what is tried from now on with `version`. */
export function useVersion(version: typeof newest = newest): void {
  mysql = version;
}

export const mysqlForms: FormSuite = {
  client: 'mysql',
  service: 'mariadb',
  settings: [
    {
      name: 'one connection',
      open: opening((url) => mysql.createConnection(`${url}?multipleStatements=true`)),
      forms: [...queries, ...connectionForms],
    },
    {
      name: 'a pool of one',
      open: opening((url) => mysql.createPool(`${url}?connectionLimit=1`)),
      forms: [...queries, ...poolForms],
    },
    { name: 'a cluster of one', open: opening(createCluster), forms: queries },
    {
      name: 'a connection each',
      open: async (target) => ({ target, close: async () => undefined }),
      forms: connecting,
    },
  ],
};
