import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { requireNative } from '../../support/native-modules.ts';
import { requireService, skipSuite, type ServiceName } from '../../support/services.ts';
import { requireBetterSqlite3 } from './better-sqlite3/support.ts';
import { startStandIn } from './mongodb/stand-in.ts';
import { nodeSqlite } from './node-sqlite/forms.ts';
import { NEWEST as SQLITE3 } from './sqlite3/forms.ts';

const require = createRequire(import.meta.url);

/** An application that calls one client, to be bundled into one file. */
export interface Application {
  /** The instrumentation of the client, where it has another name. */
  instrumentation?: string;
  /** A module that is instrumented by hand as well: what the client itself calls. */
  driver?: string;
  /** Whether it goes by the names of its own classes, which a bundler has to leave alone then. */
  keepNames?: boolean;
  /** What the application cannot do without; where it cannot be had the test is skipped. */
  needs?: (suite: Mocha.Context) => Promise<Needs> | Needs;
  /**
   * What it does, given the module as `client` and the URL as `url`. What is pushed to `seen` is
   * told, and `storage` is the application's own AsyncLocalStorage.
   */
  use: string;
  /** How the spans begin, with `PORT` for those that say the server's, and the error there was. */
  operations: string[];
  /** How many waits for a connection were given up, by the metric; none unless it says so. */
  timeouts?: number;
  seen?: string[];
}

export interface Needs {
  url?: string;
  /** The file of the client, where it is not the one that is installed. */
  file?: string;
  /** The native part of the client, which no bundle can hold. */
  native?: string;
  /** Files that the client looks for beside its own. */
  beside?: string[];
  /** Drivers that the application does without. */
  without?: string[];
  stop?: () => Promise<void>;
}

const server =
  (name: ServiceName) =>
  async (suite: Mocha.Context): Promise<Needs> => ({ url: await requireService(suite, name) });

const filesBeside = (file: string, names: string[]): string[] =>
  names.map((name) => join(dirname(file), name));

/** The file of a native client, and of its native part once that is loaded. */
function nativeNeeds(load: NodeJS.Require, name: string, use: (module: never) => unknown): Needs {
  use(load(name) as never);
  const native = Object.keys(load.cache).find(
    (file) => file.endsWith('.node') && file.includes(`/node_modules/${name}/`),
  );
  if (native === undefined) throw new Error(`${name} has loaded no native part`);
  return { url: native, file: load.resolve(name), native };
}

/** Notes for whom a connection, or what else a pool holds, is made: `nobody` for what is shared. */
const NOTE_BIRTH = `seen.push(storage.getStore() ?? 'nobody')`;

const MARIADB_OPTIONS = `
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  const options = { host, port: Number(port), user, password, database: pathname.slice(1) };`;

export const APPLICATIONS: Record<string, Application> = {
  pg: {
    needs: server('postgresql'),
    use: `
      const connection = new client.Client(url);
      await connection.connect();
      await connection.query('select 1 as n');
      await connection.end();`,
    operations: ['select PORT'],
  },
  mysql2: {
    needs: server('mariadb'),
    use: `
      const pool = client.createPool(url);
      await new Promise((resolve) => pool.query('select 1 as n', resolve));
      await pool.promise().end();`,
    operations: ['select PORT'],
  },
  mysql: {
    keepNames: true,
    needs: server('mariadb'),
    use: `
      const connection = client.createConnection(url);
      await new Promise((resolve) => connection.query('select 1 as n', resolve));
      connection.destroy();`,
    operations: ['select PORT'],
  },
  mariadb: {
    needs: server('mariadb'),
    use: `${MARIADB_OPTIONS}
      const pool = client.createPool({ ...options, connectionLimit: 1 });
      await pool.query('select 1 as n');
      await pool.end();
      const connection = await client.createConnection(options);
      await connection.query('select 1 as n');
      await connection.end();`,
    operations: ['select PORT', 'select PORT'],
  },
  'mariadb/callback': {
    instrumentation: 'mariadb',
    needs: server('mariadb'),
    use: `${MARIADB_OPTIONS}
      const connection = client.createConnection(options);
      await new Promise((resolve) => connection.query('select 1 as n', resolve));
      await new Promise((resolve) => connection.end(resolve));`,
    operations: ['select PORT'],
  },
  // Instances are known by hand only: of another one the queries alone are.
  postgres: {
    needs: server('postgresql'),
    use: `
      const sql = client.default(url, { max: 1 });
      instrument('postgres', sql);
      await sql\`select 1 as n\`;
      const other = client.default(url, { max: 1 });
      await other\`select 1 as n\`;
      await other.end();
      const channel = 'clew' + process.pid;
      const first = await storage.run('first', () => sql.listen(channel, () => undefined));
      let hear;
      const heard = new Promise((resolve) => (hear = () => resolve(seen.push(storage.getStore()))));
      const second = await storage.run('second', () => sql.listen(channel, hear));
      await sql.notify(channel, '');
      await heard;
      await first.unlisten();
      await second.unlisten();
      await sql.end();`,
    operations: ['select PORT', 'select', 'listen PORT', 'select PORT', 'unlisten PORT'],
    seen: ['second'],
  },
  '@electric-sql/pglite': {
    instrumentation: 'pglite',
    needs: () => ({
      url: join(
        dirname(require.resolve('@electric-sql/pglite-prepopulatedfs')),
        'prepopulatedfs.tgz',
      ),
      beside: filesBeside(require.resolve('@electric-sql/pglite'), [
        'pglite.wasm',
        'pglite.data',
        'initdb.wasm',
      ]),
    }),
    use: `
      const { readFile } = await import('node:fs/promises');
      const database = new client.PGlite({ loadDataDir: new Blob([await readFile(url)]) });
      await database.query('select $1::int', [1]);
      await database.close();`,
    operations: ['select'],
  },
  'better-sqlite3': {
    needs: (suite) =>
      nativeNeeds(
        requireBetterSqlite3(suite),
        'better-sqlite3',
        (Database: new (file: string) => { close(): void }) => new Database(':memory:').close(),
      ),
    use: `
      const database = new client.default(':memory:', { nativeBinding: url });
      database.prepare('select ? as n').get(1);
      database.close();`,
    operations: ['select'],
  },
  'node:sqlite': {
    needs: (suite) => (nodeSqlite ? {} : skipSuite(suite, 'node:sqlite: not in this Node')),
    use: `
      const database = new client.DatabaseSync(':memory:');
      database.prepare('select ? as n').get(1);
      database.close();`,
    operations: ['select'],
  },
  sqlite3: {
    needs: (suite) => nativeNeeds(requireNative(suite, SQLITE3), 'sqlite3', () => undefined),
    use: `
      const database = new client.default.Database(':memory:');
      await new Promise((resolve) => database.get('select ? as n', [1], resolve));
      await new Promise((resolve) => database.close(resolve));`,
    operations: ['select'],
  },
  // The driver makes the span; knex keeps its own question to a new connection out of the trace.
  knex: {
    driver: 'pg',
    needs: async (suite) => ({
      url: await requireService(suite, 'postgresql'),
      without: [
        'better-sqlite3',
        'mariadb/callback',
        'mysql',
        'mysql2',
        'oracledb',
        'sqlite3',
        'tedious',
      ],
    }),
    use: `
      const afterCreate = (_, done) => { ${NOTE_BIRTH}; done(); };
      const knex = client.default({ client: 'pg', connection: url, pool: { min: 0, afterCreate } });
      await storage.run('a request', async () => { await knex.raw('select 1 as n'); });
      await knex.destroy();`,
    operations: ['select PORT'],
    seen: ['nobody'],
  },
  redis: {
    needs: server('redis'),
    use: `
      const redis = client.createClient({ url });
      await redis.connect();
      await redis.set('clew:a', '1');
      await redis.hGet('clew:a', 'b').catch(() => undefined);
      redis.destroy();`,
    operations: ['SET PORT', 'HGET PORT WRONGTYPE'],
  },
  ioredis: {
    needs: server('redis'),
    use: `
      const redis = new client.Redis(url);
      await redis.set('clew:a', '1');
      await redis.hget('clew:a', 'b').catch(() => undefined);
      redis.disconnect();`,
    operations: ['set PORT', 'hget PORT WRONGTYPE'],
  },
  mongodb: {
    needs: () => startStandIn(),
    use: `
      const mongo = await new client.MongoClient(url).connect();
      await mongo.db('bundled').collection('things').findOne({ n: 1 });
      await mongo.close();`,
    operations: ['find PORT'],
  },
  memcached: {
    needs: server('memcached'),
    use: `
      const memcached = new client.default(new URL(url).host);
      await new Promise((resolve) => memcached.get('clew:a', resolve));
      memcached.end();`,
    operations: ['get PORT'],
  },
  dataloader: {
    use: `
      const loader = new client.default(async (keys) => keys);
      await trace.getTracer('application').startActiveSpan('a request', () => loader.load(1));`,
    operations: ['batch'],
  },
  tarn: {
    use: `
      const pool = new client.Pool({
        create: () => { ${NOTE_BIRTH}; return {}; }, destroy: () => undefined,
        min: 0, max: 1, acquireTimeoutMillis: 20,
      });
      const taken = await storage.run('a request', () => pool.acquire().promise);
      await pool.acquire().promise.catch(() => undefined);
      pool.release(taken);
      await pool.destroy();`,
    operations: [],
    timeouts: 1,
    seen: ['nobody'],
  },
  'generic-pool': {
    use: `
      const pool = client.createPool({
        create: async () => { ${NOTE_BIRTH}; return {}; }, destroy: async () => undefined,
      }, { acquireTimeoutMillis: 20 });
      const taken = await storage.run('a request', () => pool.acquire());
      await pool.acquire().catch(() => undefined);
      await pool.release(taken);
      await pool.drain();
      await pool.clear();`,
    operations: [],
    timeouts: 1,
    seen: ['nobody'],
  },
};
