import newest, {
  type Connection,
  type FilteredPoolCluster,
  type Pool,
  type PoolConnection,
} from 'mariadb/callback';

import type { Form, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import { noted, once, optionsOf, ROWS, withFile } from './support.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let mariadb: typeof newest = newest;

/** What connections, pools and the parts of a cluster have in common. */
type Queryable = Pick<Connection, 'query' | 'execute' | 'batch'>;

/** What is queried without a callback; the types know of none. */
const emitted = (connection: Connection, sql: string): NodeJS.EventEmitter =>
  (connection as unknown as { query(sql: string): NodeJS.EventEmitter }).query(sql);

const connected = (connection: Connection, callback: () => void): void =>
  (connection as unknown as { connect(callback: () => void): void }).connect(callback);

const queries: Form<Queryable>[] = [
  {
    name: 'query',
    run: (target, note) => called((done) => target.query('select 1', noted(note, done))),
  },
  {
    name: 'query with values',
    run: (target, note) => called((done) => target.query('select ?', [1], noted(note, done))),
  },
  {
    name: 'query with an options object',
    run: (target, note) =>
      called((done) => target.query({ sql: 'select ?' }, [1], noted(note, done))),
  },
  {
    name: 'query with an error',
    run: (target, note) => called((done) => target.query('select wrong', noted(note, done))),
  },
  {
    name: 'execute',
    run: (target, note) => called((done) => target.execute('select ?', [1], noted(note, done))),
  },
  {
    name: 'execute that cannot be prepared',
    run: (target, note) => called((done) => target.execute('select wrong', [1], noted(note, done))),
  },
  {
    name: 'batch in bulk',
    run: (target, note) =>
      called((done) => target.batch('do ?', [[1], [2], [3]], noted(note, done))),
  },
  {
    name: 'batch one by one',
    run: (target, note) =>
      called((done) =>
        target.batch({ sql: 'select ?', bulk: false }, [1, 2, 3], noted(note, done)),
      ),
  },
  {
    name: 'batch that is rejected',
    run: (target, note) =>
      called((done) => target.batch('select wrong, ?', [[1], [2]], noted(note, done))),
  },
];

const connectionForms: Form<Connection>[] = [
  {
    name: 'multi-statement',
    run: (connection, note) =>
      called((done) => connection.query('select 1; select 2', noted(note, done))),
  },
  {
    name: 'query events',
    run: (connection, note) =>
      called((done) => {
        const command = emitted(connection, ROWS);
        command
          .on('fields', () => note('fields'))
          .on('data', () => note('data'))
          .on('end', noted(note, done));
      }),
  },
  {
    name: 'query events of a failure',
    run: (connection, note) =>
      called((done) => {
        const command = emitted(connection, 'select wrong');
        command.on('end', noted(note, done));
      }),
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
    name: 'prepare and execute',
    operations: 2,
    run: async (connection, note) => {
      const [, statement] = await called<[unknown, { execute(...args: unknown[]): void }]>((done) =>
        connection.prepare('select ? as n', (...args: unknown[]) => {
          note('prepared');
          done(...(args as Parameters<typeof done>));
        }),
      );
      await called((done) => statement.execute([1], noted(note, done)));
      await called((done) => statement.execute([2], noted(note, done)));
    },
  },
  {
    name: 'beginTransaction',
    run: (connection, note) => called((done) => connection.beginTransaction(noted(note, done))),
  },
  {
    name: 'ping and reset',
    operations: 0,
    run: async (connection, note) => {
      await called((done) => connection.ping(noted(note, done)));
      await called((done) => connection.reset(noted(note, done)));
    },
  },
];

const poolForms: Form<Pool>[] = [
  {
    name: 'getConnection and a transaction',
    operations: 3,
    run: async (pool, note) => {
      const [, connection] = await called<[unknown, PoolConnection]>((done) =>
        pool.getConnection((error, opened) => {
          note('connected');
          done(error, opened as PoolConnection);
        }),
      );
      await called((done) => connection.beginTransaction(noted(note, done)));
      await called((done) => connection.query('select wrong', noted(note, done)));
      await called((done) => connection.rollback(noted(note, done)));
      await called((done) => connection.release(noted(note, done)));
    },
  },
  {
    name: 'pool events',
    run: async (pool, note) => {
      const released = called((done) => once(pool, 'release', noted(note, done)));
      once(pool, 'acquire', () => note('acquire'));
      await called((done) => pool.query('select 1', noted(note, done)));
      await released;
    },
  },
];

const clusterForms: Form<FilteredPoolCluster>[] = [
  {
    name: 'getConnection',
    run: (cluster, note) =>
      called((done) =>
        cluster.getConnection((_error, connection) => {
          note('connected');
          connection?.query('select 1', () => {
            note('queried');
            connection.release(noted(note, done));
          });
        }),
      ),
  },
];

const connecting: Form<string>[] = [
  {
    name: 'connect, query, commit and end',
    operations: 3,
    run: async (url, note) => {
      const connection = mariadb.createConnection(optionsOf(url));
      await called((done) => connected(connection, noted(note, done)));
      await called((done) => connection.beginTransaction(noted(note, done)));
      await called((done) => connection.query('select 1', noted(note, done)));
      await called((done) => connection.commit(noted(note, done)));
      await called((done) => connection.end(noted(note, done)));
    },
  },
  {
    name: 'queries before connect',
    operations: 2,
    run: async (url, note) => {
      const connection = mariadb.createConnection(optionsOf(url));
      const first = called((done) => connection.query('select 1', noted(note, done)));
      await called((done) => connection.beginTransaction(noted(note, done)));
      await first;
      await called((done) => connection.end(noted(note, done)));
    },
  },
  {
    name: 'changeUser and import of a file',
    textless: 'the library reads the file and sends its statements one by one',
    run: async (url, note) => {
      const { user, password } = optionsOf(url);
      const connection = mariadb.createConnection(optionsOf(url));
      await called((done) => connected(connection, done));
      await called((done) => connection.changeUser({ user, password }, noted(note, done)));
      await withFile((file) =>
        called((done) => connection.importFile({ file }, noted(note, done))),
      );
      await called((done) => connection.end(noted(note, done)));
    },
  },
  {
    name: 'connect that fails',
    operations: 0,
    run: (url, note) => {
      const connection = mariadb.createConnection({ ...optionsOf(url), database: 'nowhere' });
      return called((done) => connected(connection, noted(note, done)));
    },
  },
  {
    name: 'import of a file over a connection of its own',
    textless: 'the library reads the file and sends its statements one by one',
    run: (url, note) =>
      withFile((file) =>
        called((done) => mariadb.importFile({ ...optionsOf(url), file }, noted(note, done))),
      ),
  },
];

/** Opens what is tried from now on with `version`. */
export function useCallbacks(version: typeof newest = newest): void {
  mariadb = version;
}

interface Ending {
  end(callback: () => void): void;
}

const closing = (target: Ending) => (): Promise<unknown> =>
  called((done) => target.end(() => done()));

export const callbackSettings: Setting<never>[] = [
  {
    name: 'one connection with callbacks',
    open: async (url) => {
      const target = mariadb.createConnection(optionsOf(url));
      await called((done) => connected(target, done));
      return { target, close: closing(target) };
    },
    forms: [...(queries as Form<Connection>[]), ...connectionForms],
  } satisfies Setting<Connection> as unknown as Setting<never>,
  {
    name: 'a pool of one with callbacks',
    open: async (url) => {
      const target = mariadb.createPool({ ...optionsOf(url), connectionLimit: 1 });
      return { target, close: closing(target) };
    },
    forms: [...(queries as unknown as Form<Pool>[]), ...poolForms],
  } satisfies Setting<Pool> as unknown as Setting<never>,
  {
    name: 'a cluster of one with callbacks',
    open: async (url) => {
      const cluster = mariadb.createPoolCluster();
      cluster.add('one', { ...optionsOf(url), connectionLimit: 1 });
      return { target: cluster.of('one'), close: closing(cluster) };
    },
    forms: [...(queries as unknown as Form<FilteredPoolCluster>[]), ...clusterForms],
  } satisfies Setting<FilteredPoolCluster> as unknown as Setting<never>,
  {
    name: 'a connection with callbacks each',
    open: async (target) => ({ target, close: async () => undefined }),
    forms: connecting,
  } satisfies Setting<string> as unknown as Setting<never>,
];
