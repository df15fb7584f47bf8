import newest, { type Connection, type FilteredPoolCluster, type Pool } from 'mariadb';

import type { Form, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import { noted, once, optionsOf, ROWS, withFile } from './support.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let mariadb: typeof newest = newest;

/** A table that is there for one connection only, and for everybody who uses it. */
const TABLE = 'create temporary table if not exists counted (n int)';

/** What connections, pools and the parts of a cluster have in common. */
type Queryable = Pick<Connection, 'query' | 'execute' | 'batch'>;

const queries: Form<Queryable>[] = [
  {
    name: 'query',
    run: async (target, note) => {
      await target.query('select 1');
      note('continuation');
    },
  },
  {
    name: 'query with values',
    run: async (target, note) => {
      await target.query('select ?', [1]);
      note('continuation');
    },
  },
  {
    name: 'query with an options object',
    run: async (target, note) => {
      await target.query(Object.freeze({ sql: 'select ?', values: [1] }));
      note('continuation');
    },
  },
  {
    name: 'query that is rejected',
    run: (target, note) => target.query('select wrong').catch(() => note('catch')),
  },
  {
    name: 'query without a statement',
    operations: 0,
    run: (target, note) => target.query(undefined as never).catch(() => note('catch')),
  },
  {
    name: 'typeCast of one query',
    run: async (target, note) => {
      const typeCast = (_column: unknown, next: () => unknown): unknown => {
        note('typeCast');
        return next();
      };
      await target.query({ sql: ROWS, typeCast } as never);
      note('continuation');
    },
  },
  {
    name: 'execute',
    run: async (target, note) => {
      await target.execute('select ?', [1]);
      note('continuation');
    },
  },
  {
    name: 'execute that cannot be prepared',
    run: (target, note) => target.execute('select wrong', [1]).catch(() => note('catch')),
  },
  {
    name: 'batch in bulk',
    operations: 2,
    run: async (target, note) => {
      await target.query(TABLE);
      await target.batch('insert into counted values (?)', [[1], [2], [3]]);
      note('continuation');
    },
  },
  {
    name: 'batch one by one',
    run: async (target, note) => {
      await target.batch({ sql: 'select ?', bulk: false }, [1, 2, 3]);
      note('continuation');
    },
  },
  {
    name: 'batch that is rejected',
    run: (target, note) => target.batch('select wrong, ?', [[1], [2]]).catch(() => note('catch')),
  },
];

const withoutValues: Form<Queryable> = {
  name: 'batch without values',
  run: (target, note) => target.batch('select ?').catch(() => note('catch')),
};

const connectionForms: Form<Connection>[] = [
  {
    name: 'multi-statement',
    run: async (connection, note) => {
      await connection.query('select 1; select 2');
      note('continuation');
    },
  },
  {
    name: 'query stream',
    run: (connection, note) =>
      called((done) => {
        connection
          .queryStream(ROWS)
          .on('fields', () => note('fields'))
          .on('data', () => note('data'))
          .on('end', () => note('end'))
          .on('close', noted(note, done));
      }),
  },
  {
    name: 'query stream of what has no rows',
    run: (connection, note) =>
      called((done) => {
        connection
          .queryStream('do 1')
          .on('data', () => note('data'))
          .on('end', noted(note, done));
      }),
  },
  {
    name: 'query stream, for await',
    run: async (connection, note) => {
      for await (const row of connection.queryStream(ROWS)) note(`row ${typeof row}`);
      note('after the loop');
    },
  },
  {
    name: 'query stream that fails',
    run: (connection, note) =>
      called((done) => {
        connection.queryStream('select wrong').on('error', noted(note, done));
      }),
  },
  {
    name: 'query stream destroyed early',
    run: (connection, note) =>
      called((done) => {
        const stream = connection.queryStream(ROWS);
        stream.once('data', () => {
          note('data');
          stream.destroy();
        });
        stream.on('close', noted(note, done));
      }),
  },
  {
    name: 'prepare and execute',
    operations: 3,
    run: async (connection, note) => {
      const statement = await connection.prepare(`select ? as n union ${ROWS}`);
      note('prepared');
      await statement.execute([1]);
      note('executed');
      await statement.execute([2]);
      await called((done) => {
        statement
          .executeStream([3])
          .on('data', () => note('data'))
          .on('end', noted(note, done));
      });
      statement.close();
    },
  },
  {
    name: 'prepare that fails',
    operations: 0,
    run: (connection, note) => connection.prepare('select wrong').catch(() => note('catch')),
  },
  {
    name: 'ping and reset',
    operations: 0,
    run: async (connection, note) => {
      await connection.ping();
      note('pinged');
      await connection.reset();
      note('reset');
    },
  },
];

const poolForms: Form<Pool>[] = [
  {
    name: 'getConnection and a transaction',
    operations: 3,
    run: async (pool, note) => {
      const connection = await pool.getConnection();
      note('connected');
      await connection.beginTransaction();
      note('begun');
      await connection.query('select 1');
      await connection.commit();
      note('committed');
      await connection.release();
      note('released');
    },
  },
  {
    name: 'a transaction that is rolled back',
    operations: 3,
    run: async (pool, note) => {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      await connection.query('select wrong').catch(() => note('catch'));
      await connection.rollback();
      note('rolled back');
      await connection.release();
    },
  },
  {
    name: 'release of an open transaction',
    operations: 1,
    run: async (pool, note) => {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      await connection.release();
      note('released');
    },
  },
  {
    name: 'query stream of a pooled connection',
    run: async (pool, note) => {
      const connection = await pool.getConnection();
      for await (const row of connection.queryStream(ROWS)) note(`row ${typeof row}`);
      await connection.end();
      note('ended');
    },
  },
  {
    name: 'import of a file',
    textless: 'the library reads the file and sends its statements one by one',
    run: async (pool, note) => {
      await withFile((file) => pool.importFile({ file }));
      note('continuation');
    },
  },
  {
    name: 'pool events',
    run: async (pool, note) => {
      const released = called((done) => once(pool, 'release', noted(note, done)));
      once(pool, 'acquire', () => note('acquire'));
      await pool.query('select 1');
      await released;
    },
  },
];

const clusterForms: Form<FilteredPoolCluster>[] = [
  {
    name: 'getConnection',
    run: async (cluster, note) => {
      const connection = await cluster.getConnection();
      note('connected');
      await connection.query('select 1');
      await connection.release();
      note('released');
    },
  },
];

const connecting: Form<string>[] = [
  {
    name: 'connect, query and end',
    run: async (url, note) => {
      const connection = await mariadb.createConnection(optionsOf(url));
      note('connected');
      await connection.query('select 1');
      await connection.end();
      note('ended');
    },
  },
  {
    // On a shared connection the library cannot do these for two at the same time.
    name: 'changeUser and import of a file',
    textless: 'the library reads the file and sends its statements one by one',
    operations: 2,
    run: async (url, note) => {
      const options = optionsOf(url);
      const connection = await mariadb.createConnection(options);
      await connection.changeUser({ user: options.user, password: options.password });
      note('changed');
      await withFile((file) => connection.importFile({ file }));
      note('imported');
      await connection.query('select 1');
      await connection.end();
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: (url, note) =>
      mariadb
        .createConnection({ ...optionsOf(url), database: 'nowhere' })
        .catch(() => note('catch')),
  },
  {
    name: 'connection events',
    run: async (url, note) => {
      const connection = await mariadb.createConnection(optionsOf(url));
      const ended = called((done) => connection.on('error', noted(note, done)));
      connection.query('kill connection_id()').catch(() => note('catch'));
      await ended;
    },
  },
  {
    name: 'import of a file over a connection of its own',
    textless: 'the library reads the file and sends its statements one by one',
    run: async (url, note) => {
      await withFile((file) => mariadb.importFile({ ...optionsOf(url), file }));
      note('continuation');
    },
  },
  {
    name: 'a cluster that has to try again',
    run: async (url, note) => {
      const cluster = mariadb.createPoolCluster({ canRetry: true });
      const broken = { acquireTimeout: 50, initializationTimeout: 40, connectionLimit: 1 };
      cluster.add('a', { ...optionsOf(url), database: 'nowhere', ...broken });
      cluster.add('b', { ...optionsOf(url), connectionLimit: 1 });
      await cluster.of('.*', 'ORDER').query('select 1');
      note('continuation');
      await cluster.end();
    },
  },
  {
    name: 'a cluster without a server',
    run: async (_url, note) => {
      const cluster = mariadb.createPoolCluster({ canRetry: false });
      await cluster
        .of('.*')
        .query('select 1')
        .catch(() => note('catch'));
      await cluster.end();
    },
  },
];

/** Opens what is tried from now on with `version`. */
export function usePromises(version: typeof newest = newest): void {
  mariadb = version;
}

export const promiseSettings: Setting<never>[] = [
  {
    name: 'one connection',
    open: async (url) => {
      const target = await mariadb.createConnection(optionsOf(url));
      return { target, close: () => target.end() };
    },
    forms: [
      ...(queries as Form<Connection>[]),
      { ...withoutValues, operations: 0 },
      ...connectionForms,
    ],
  } satisfies Setting<Connection> as unknown as Setting<never>,
  {
    name: 'a pool of one',
    open: async (url) => {
      const target = mariadb.createPool({ ...optionsOf(url), connectionLimit: 1 });
      return { target, close: () => target.end() };
    },
    // The wait for a connection, which is given back unused.
    forms: [...(queries as Form<Pool>[]), withoutValues, ...poolForms],
  } satisfies Setting<Pool> as unknown as Setting<never>,
  {
    name: 'a cluster of one',
    open: async (url) => {
      const cluster = mariadb.createPoolCluster();
      cluster.add('one', { ...optionsOf(url), connectionLimit: 1 });
      return { target: cluster.of('one'), close: () => cluster.end() };
    },
    forms: [
      ...(queries as Form<FilteredPoolCluster>[]),
      { ...withoutValues, operations: 0 },
      ...clusterForms,
    ],
  } satisfies Setting<FilteredPoolCluster> as unknown as Setting<never>,
  {
    name: 'a connection each',
    open: async (target) => ({ target, close: async () => undefined }),
    forms: connecting,
  } satisfies Setting<string> as unknown as Setting<never>,
];
