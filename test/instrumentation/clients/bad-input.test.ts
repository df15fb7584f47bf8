import { requireNative } from '../../support/native-modules.ts';
import { describeBadInput, type ClientOfApplication } from '../support/bad-input.ts';
import { requireBetterSqlite3 } from './better-sqlite3/support.ts';
import { NEWEST } from './sqlite3/forms.ts';

const CALLBACKS = `
  const connection = client.createConnection(url);
  const rows = await new Promise((resolve, reject) =>
    connection.query('select 1 as n', (error, rows) => (error ? reject(error) : resolve(rows))));
  connection.destroy();
  return rows;`;

const CLIENTS: Record<string, ClientOfApplication> = {
  pg: {
    service: 'postgresql',
    use: `
      const connection = new client.Client(url);
      await connection.connect();
      const { rows } = await connection.query('select 1 as n');
      await connection.end();
      return rows;`,
  },
  postgres: {
    service: 'postgresql',
    isReplaced: true,
    use: 'const sql = client(url); const rows = await sql`select 1 as n`; await sql.end(); return rows;',
  },
  knex: {
    service: 'postgresql',
    // Its question for the version, and the query.
    below: 2,
    use: `
      const knex = client({ client: 'pg', connection: url });
      const { rows } = await knex.raw('select 1 as n');
      await knex.destroy();
      return rows;`,
  },
  mysql: { service: 'mariadb', use: CALLBACKS },
  mysql2: { service: 'mariadb', use: CALLBACKS },
  mariadb: {
    service: 'mariadb',
    use: `
      const connection = await client.createConnection(url.replace(/^mysql:/, 'mariadb:'));
      const rows = await connection.query('select 1 as n');
      await connection.end();
      return rows;`,
  },
  'better-sqlite3': {
    find: requireBetterSqlite3,
    use: "return new client(':memory:').prepare('select 1 as n').all();",
  },
  sqlite3: {
    find: (suite) => requireNative(suite, NEWEST),
    use: `
      const db = new client.Database(':memory:');
      return new Promise((resolve) => db.all('select 1 as n', (_error, rows) => resolve(rows)));`,
  },
};

for (const [name, client] of Object.entries(CLIENTS)) describeBadInput(name, client);
