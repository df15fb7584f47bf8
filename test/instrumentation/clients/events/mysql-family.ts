import type { EventEmitter } from 'node:events';

import type * as Mariadb from 'mariadb';
import type * as Mysql from 'mysql';
import type * as Mysql2 from 'mysql2';

import { LOST, require, soon, type EventScenario } from './scenario.ts';

const libraries = {
  mysql: require('mysql') as typeof Mysql,
  mysql2: require('mysql2') as unknown as typeof Mysql,
};
const mariadb = require('mariadb') as typeof Mariadb;
const mysql2Promise = require('mysql2/promise') as typeof import('mysql2/promise');

const CONNECTION = ['connect', 'drain', 'enqueue', 'error', 'end'];
const POOL = ['connection', 'acquire', 'enqueue', 'release', 'error'];

type Callback = (error: unknown, result?: any) => void;
const called = (start: (done: Callback) => unknown): Promise<any> =>
  new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });

export const mysqlFamily: EventScenario[] = [
  ...(['mysql', 'mysql2'] as const).flatMap((client): EventScenario[] => {
    const library = libraries[client];
    // mysql takes a URL only without the beginning that the others know.
    const options = (url: string): Mysql.ConnectionConfig => {
      const { hostname, port, username, password, pathname } = new URL(url);
      return {
        host: hostname,
        port: Number(port || 3306),
        user: username,
        password,
        database: pathname.slice(1),
      };
    };
    return [
      {
        client,
        name: 'a connection of one caller',
        service: 'mariadb',
        async run({ url, listen, as }) {
          const connection = library.createConnection(options(url));
          listen(connection, CONNECTION);
          await as('a', async () => {
            await called((done) => connection.connect(done));
            await called((done) => connection.query('select 1', done));
            await called((done) => connection.end(done));
            await soon();
          });
        },
      },
      {
        client,
        name: 'a connection that another caller opened',
        service: 'mariadb',
        callers: client === 'mysql' ? { drain: 'abc' } : {},
        async run({ url, listen, as }) {
          const connection = library.createConnection(options(url));
          listen(connection, CONNECTION);
          await as('a', () => called((done) => connection.connect(done)));
          await as('b', () => called((done) => connection.query('select 1', done)));
          await as('c', () => called((done) => connection.end(done)));
          await soon();
        },
      },
      {
        client,
        name: 'a connection that is killed',
        service: 'mariadb',
        async run({ url, listen, as }) {
          const connection = library.createConnection(options(url));
          listen(connection, CONNECTION);
          await as('a', async () => {
            await called((done) => connection.query('select 1', done));
            await called((done) => connection.query('kill connection_id()', done)).catch(
              () => undefined,
            );
            await soon();
          });
          connection.destroy();
        },
      },
      {
        client,
        name: 'a pool of one',
        service: 'mariadb',
        callers: client === 'mysql' ? { acquire: 'abcd', release: 'abcd' } : { release: 'cd' },
        async run({ url, listen, as }) {
          const pool = library.createPool({ ...options(url), connectionLimit: 1 });
          listen(pool, POOL);
          await Promise.all(
            ['a', 'b', 'c'].map((name) =>
              as(name, () => called((done) => pool.query('select 1', done))),
            ),
          );
          await as('d', async () => {
            const connection = (await called((done) =>
              pool.getConnection(done),
            )) as Mysql.PoolConnection;
            await called((done) => connection.query('select 1', done));
            connection.release();
          });
          await soon();
          await called((done) => pool.end(done));
        },
      },
      {
        client,
        name: 'a cluster whose node is not there',
        service: 'mariadb',
        async run({ url, listen, as }) {
          const cluster = library.createPoolCluster({
            removeNodeErrorCount: 1,
            restoreNodeTimeout: 0,
          });
          listen(cluster, ['online', 'offline', 'remove', 'warn']);
          cluster.add('there', { ...options(url), connectionLimit: 1 });
          cluster.add('gone', { ...options(url), port: 1, connectionLimit: 1 });
          await as('a', () => called((done) => cluster.of('there').query('select 1', done)));
          await as('b', () =>
            called((done) => cluster.of('gone').getConnection(done)).catch(() => undefined),
          );
          await as('c', () =>
            called((done) => cluster.of('gone').getConnection(done)).catch(() => undefined),
          );
          await called((done) => cluster.end(done));
        },
      },
    ];
  }),
  {
    client: 'mysql2',
    name: 'a pool of promises',
    service: 'mariadb',
    callers: { release: 'cd' },
    async run({ url, listen, as }) {
      const pool = mysql2Promise.createPool({ uri: url, connectionLimit: 1 } as Mysql2.PoolOptions);
      listen(pool, POOL);
      await Promise.all(['a', 'b', 'c'].map((name) => as(name, () => pool.query('select 1'))));
      await as('d', async () => {
        const connection = await pool.getConnection();
        await connection.query('select 1');
        connection.release();
      });
      await pool.end();
    },
  },
  {
    client: 'mariadb',
    name: 'a connection of one caller',
    service: 'mariadb',
    nobodys: { error: LOST, end: LOST },
    async run({ url, listen, as }) {
      await as('a', async () => {
        const connection = await mariadb.createConnection(url.replace('mysql:', 'mariadb:'));
        listen(connection, ['connect', 'end', 'error']);
        await connection.query('select 1');
        await connection.query('kill connection_id()').catch(() => undefined);
        await soon();
        await connection.end().catch(() => undefined);
      });
    },
  },
  {
    client: 'mariadb',
    name: 'a pool of one',
    service: 'mariadb',
    callers: { acquire: 'abcd', release: 'abcd' },
    nobodys: { connection: 'the pool opens as many connections as it wants' },
    async run({ url, listen, as }) {
      const pool = mariadb.createPool(
        `${url.replace('mysql:', 'mariadb:')}?connectionLimit=1&minimumIdle=0`,
      );
      listen(pool as unknown as EventEmitter, POOL);
      await Promise.all(['a', 'b', 'c'].map((name) => as(name, () => pool.query('select 1'))));
      await as('d', async () => {
        const connection = await pool.getConnection();
        await connection.query('select 1');
        await connection.release();
      });
      await pool.end();
    },
  },
  {
    client: 'mariadb',
    name: 'a cluster whose node is not there',
    service: 'mariadb',
    async run({ url, listen, as }) {
      const cluster = mariadb.createPoolCluster({ removeNodeErrorCount: 1 });
      listen(cluster as unknown as EventEmitter, ['remove']);
      const { hostname: host, port, username: user, password } = new URL(url);
      const options = { host, user, password, connectionLimit: 1, acquireTimeout: 2000 };
      cluster.add('there', { ...options, port: Number(port) });
      cluster.add('gone', { ...options, port: 1, acquireTimeout: 100 });
      await as('a', () => cluster.of('there').query('select 1'));
      await as(
        'b',
        () =>
          cluster
            .of('gone')
            .getConnection()
            .catch(() => undefined) as Promise<unknown>,
      );
      await cluster.end();
    },
  },
];
