import newest, {
  type Connection,
  type Pool,
  type PoolCluster,
  type PrepareStatementInfo,
  type QueryOptions,
} from 'mysql2';
import type { Connection as PromiseConnection, Pool as PromisePool } from 'mysql2/promise';

import type { Form, FormSuite, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let mysql: typeof newest = newest;

const ROWS = 'select 1 as n union select 2 union select 3';

/** What connections, pools and the parts of a cluster have in common. */
type Queryable = Pick<Pool, 'query' | 'execute'>;

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
  {
    name: 'query stream, for await',
    run: async (target, note) => {
      for await (const row of target.query(ROWS).stream({ highWaterMark: 1 })) {
        note(`row ${typeof row}`);
      }
      note('after the loop');
    },
  },
  {
    name: 'query stream destroyed early',
    run: (target, note) =>
      called((done) => {
        const stream = target.query(ROWS).stream({ highWaterMark: 1 });
        stream.once('data', () => {
          note('data');
          stream.destroy();
        });
        stream.on('close', noted(note, done));
      }),
  },
  {
    name: 'execute with a callback',
    run: (target, note) => called((done) => target.execute('select ?', [1], noted(note, done))),
  },
  {
    name: 'execute that cannot be prepared',
    run: (target, note) => called((done) => target.execute('select wrong', noted(note, done))),
  },
];

const connectionForms: Form<Connection>[] = [
  {
    name: 'multi-statement',
    run: (connection, note) =>
      called((done) => connection.query('select 1; select 2', noted(note, done))),
  },
  {
    name: 'execute stream',
    run: (connection, note) =>
      called((done) => {
        connection
          .execute(ROWS)
          .stream()
          .on('data', () => note('data'))
          .on('end', noted(note, done));
      }),
  },
  {
    name: 'prepare and execute',
    operations: 2,
    run: async (connection, note) => {
      const [, statement] = await called<[unknown, PrepareStatementInfo]>((done) =>
        connection.prepare('select ? as n', (...args) => {
          note('prepared');
          done(...args);
        }),
      );
      await called((done) => statement.execute([1], noted(note, done)));
      await called((done) => {
        (statement.execute([2], undefined as never) as unknown as NodeJS.EventEmitter)
          .on('result', () => note('result'))
          .on('end', noted(note, done));
      });
    },
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
    name: 'ping and changeUser',
    operations: 0,
    run: async (connection, note) => {
      await called((done) => connection.ping(noted(note, done)));
      await called((done) => connection.changeUser({}, noted(note, done)));
    },
  },
  {
    name: 'typeCast of one query',
    run: (connection, note) =>
      called((done) => {
        const typeCast = (field: unknown, next: () => unknown): unknown => {
          note(`typeCast ${typeof field}`);
          return next();
        };
        connection.query({ sql: ROWS, typeCast } as QueryOptions, noted(note, done));
      }),
  },
  {
    name: 'promise() of a connection',
    run: async (connection, note) => {
      await connection.promise().query('select 1');
      note('continuation');
    },
  },
];

const promiseForms: Form<PromiseConnection | PromisePool>[] = [
  {
    name: 'query',
    run: async (target, note) => {
      await target.query('select ?', [1]);
      note('continuation');
    },
  },
  {
    name: 'query that is rejected',
    run: (target, note) => target.query('select wrong').catch(() => note('catch')),
  },
  {
    name: 'execute',
    run: async (target, note) => {
      await target.execute('select ?', [1]);
      note('continuation');
    },
  },
];

const promiseConnectionForms: Form<PromiseConnection>[] = [
  {
    name: 'prepare and execute',
    run: async (connection, note) => {
      const statement = await connection.prepare('select ? as n');
      note('prepared');
      await statement.execute([1]);
      note('executed');
    },
  },
  {
    name: 'transaction',
    operations: 3,
    run: async (connection, note) => {
      await connection.beginTransaction();
      note('begun');
      await connection.query('select 1');
      await connection.commit();
      note('committed');
    },
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
    name: 'getConnection with a callback',
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

const promisePoolForms: Form<PromisePool>[] = [
  {
    name: 'getConnection with a promise',
    run: async (pool, note) => {
      const connection = await pool.getConnection();
      note('connected');
      await connection.query('select 1');
      note('queried');
      connection.release();
    },
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

/** Opens with `open` and ends with a callback, as everything in this library does. */
function opening<Target extends { end(callback: () => void): void }>(
  open: (uri: string) => Target,
): (url: string) => Promise<{ target: Target; close(): Promise<unknown> }> {
  return async (url) => {
    const target = open(url);
    return { target, close: () => called((done) => target.end(() => done())) };
  };
}

const createConnection = (uri: string): Connection =>
  mysql.createConnection({ uri, multipleStatements: true });

const createPool = (uri: string): Pool => mysql.createPool({ uri, connectionLimit: 1 });

function createCluster(uri: string): Queryable & { end(callback: () => void): void } {
  const cluster: PoolCluster = mysql.createPoolCluster();
  cluster.add('one', { uri, connectionLimit: 1 });
  const part = cluster.of('*') as unknown as Queryable;
  return {
    query: ((...args: unknown[]) => Reflect.apply(part.query, part, args)) as Pool['query'],
    execute: ((...args: unknown[]) => Reflect.apply(part.execute, part, args)) as Pool['execute'],
    end: (callback) => cluster.end(callback),
  };
}

/** Opens what is tried from now on with `version`. */
export function useVersion(version: typeof newest = newest): void {
  mysql = version;
}

export const mysql2Forms: FormSuite = {
  client: 'mysql2',
  service: 'mariadb',
  settings: [
    {
      name: 'one connection',
      open: opening(createConnection),
      forms: [...(queries as unknown as Form<Connection>[]), ...connectionForms],
    },
    {
      name: 'one promise connection',
      open: async (url) => {
        const target = createConnection(url).promise();
        return { target, close: () => target.end() };
      },
      forms: [...promiseForms, ...promiseConnectionForms],
    },
    { name: 'a pool of one', open: opening(createPool), forms: [...queries, ...poolForms] },
    {
      name: 'a promise pool of one',
      open: async (url) => {
        const target = createPool(url).promise();
        return { target, close: () => target.end() };
      },
      forms: [...promiseForms, ...promisePoolForms],
    },
    {
      name: 'a cluster of one',
      open: opening(createCluster),
      forms: queries,
    },
    {
      name: 'a connection each',
      open: async (target) => ({ target, close: async () => undefined }),
      forms: connecting,
    },
  ],
};
