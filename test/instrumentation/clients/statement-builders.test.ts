import assert from 'node:assert/strict';

import { requireService, type ServiceName } from '../../support/services.ts';
import { cachedInstall } from '../../support/user-cache.ts';
import { runApplication } from '../support/application.ts';

/*
 * Packages that hand a driver a statement which is no string: an object whose text is a getter of its
 * class, a stream that holds a cursor, a query that another package makes.
 */
const PACKAGES = [
  'knex@3.3.0',
  'mysql@2.18.1',
  'mysql2@3.24.6',
  'pg@8.23.1',
  'pg-query-stream@4.17.0',
  'slonik@46.8.0',
  'sql-template-strings@2.2.2',
  'sql-template-tag@5.2.1',
];

const STATEMENTS: Readonly<Record<string, string>> = {
  'sql-template-strings': "const SQL = require('sql-template-strings');",
  'sql-template-tag': "const SQL = require('sql-template-tag').default;",
};

interface Case {
  name: string;
  service: ServiceName;
  source: string;
  /** The names and texts of the spans, in the order of their ends. */
  spans: string[];
  /** What the package asks for itself. */
  own?: RegExp;
}

const CALLBACKS = `
  const done = (call) => new Promise((resolve, reject) =>
    call((error, result) => error ? reject(error) : resolve(result)));
`;

const MYSQL_URL = `
  const { hostname: host, port, username: user, password, pathname } = new URL(process.env.URL);
  const options = { host, port, user, password, database: pathname.slice(1), connectionLimit: 1 };
`;

const mysqlCases = (['mysql', 'mysql2'] as const).flatMap((driver) =>
  Object.entries(STATEMENTS).map(([tag, load]): Case => ({
    name: `${tag} by ${driver}`,
    service: 'mariadb',
    source: `${load} ${CALLBACKS} ${MYSQL_URL}
        const library = require('${driver}');
        const statement = SQL\`SELECT n FROM (SELECT 1 AS n) AS t WHERE n = \${1}\`;
        (async () => {
          const pool = library.createPool(options);
          await done((callback) => pool.query(statement, callback));
          if (pool.execute) await done((callback) => pool.execute(statement, callback));
          await new Promise((resolve) => pool.query(statement).on('end', resolve));
          const cluster = library.createPoolCluster();
          cluster.add('one', options);
          await done((callback) => cluster.of('one').query(statement, callback));
          const connection = await done((callback) => pool.getConnection(callback));
          await done((callback) => connection.query(statement, callback));
          connection.release();
          if (pool.promise) {
            await pool.promise().query(statement);
            await pool.promise().execute(statement);
          }
          await done((callback) => cluster.end(callback));
          await done((callback) => pool.end(callback));
        })();`,
    spans: Array<string>(driver === 'mysql' ? 4 : 7).fill(
      'SELECT SELECT: SELECT n FROM (SELECT 1 AS n) AS t WHERE n = ?',
    ),
  })),
);

const pgCases = Object.entries(STATEMENTS).map(([tag, load]): Case => ({
  name: `${tag} by pg`,
  service: 'postgresql',
  source: `${load} ${CALLBACKS}
      const { Client, Pool } = require('pg');
      const statement = SQL\`SELECT n FROM (SELECT 1 AS n) AS t WHERE n = \${1}\`;
      (async () => {
        const pool = new Pool({ connectionString: process.env.URL, max: 1 });
        await pool.query(statement);
        await done((callback) => pool.query(statement, callback));
        await pool.end();
        const client = new Client(process.env.URL);
        await client.connect();
        await client.query(statement);
        await client.end();
      })();`,
  spans: Array<string>(3).fill('SELECT SELECT: SELECT n FROM (SELECT 1 AS n) AS t WHERE n = $1'),
}));

const CASES: Case[] = [
  ...mysqlCases,
  ...pgCases,
  {
    name: 'pg-query-stream by knex',
    service: 'postgresql',
    own: /version\(\)/,
    source: `
      const knex = require('knex')({ client: 'pg', connection: process.env.URL });
      (async () => {
        for await (const row of knex.select('*').from('pg_type').where('oid', 23).stream()) void row;
        await knex.select('*').from('pg_class').limit(2).stream((stream) => stream.resume());
        await knex.destroy();
      })();`,
    spans: [
      'select "pg_type": select * from "pg_type" where "oid" = $1',
      'select "pg_class": select * from "pg_class" limit $1',
    ],
  },
  {
    name: 'slonik',
    service: 'postgresql',
    own: /typarray|DISCARD/,
    source: `
      const { createPool, sql } = require('slonik');
      (async () => {
        const pool = await createPool(process.env.URL, { maximumPoolSize: 1 });
        await pool.query(sql.unsafe\`select oid from pg_type where oid = \${23}\`);
        await pool.stream(sql.unsafe\`select oid from pg_class where oid > \${1}\`, (stream) => {
          stream.resume();
        });
        await pool.transaction((transaction) => transaction.any(sql.unsafe\`select 1\`));
        await pool.end();
      })();`,
    spans: [
      'select pg_type: select oid from pg_type where oid = $1',
      'select pg_class: select oid from pg_class where oid > $1',
      'START TRANSACTION: START TRANSACTION',
      'select: select ?',
      'COMMIT: COMMIT',
    ],
  },
];

describe('Statements that packages build have their text and name', () => {
  let folder: string;

  before(function () {
    this.timeout(120_000);
    folder = cachedInstall('statement-builders-1', PACKAGES);
  });

  for (const { name, service, source, spans, own } of CASES) {
    it(name, async function () {
      this.timeout(120_000);
      const URL = await requireService(this, service);
      const printed = await runApplication(source, 'commonjs', { URL }, folder);
      const lines = printed.map(
        (span) => `${span.name}: ${String(span.attributes['db.query.text'])}`,
      );
      assert.deepEqual(
        lines.filter((line) => !own?.test(line)),
        spans,
      );
    });
  }
});
