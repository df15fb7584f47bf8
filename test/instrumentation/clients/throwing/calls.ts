import { createRequire } from 'node:module';

import type { ClientName } from '../../../../src/instrumentation/index.ts';
import { requireNative } from '../../../support/native-modules.ts';
import type { ServiceName } from '../../../support/services.ts';
import { requireBetterSqlite3 } from '../better-sqlite3/support.ts';
import { NEWEST } from '../sqlite3/forms.ts';

const require: NodeJS.Require = createRequire(import.meta.url);

type Target = Record<string, any>;

/** What calls of a client are tried on, and how they are called wrongly. */
export interface ThrowingSuite {
  client: ClientName;
  name: string;
  service?: ServiceName;
  /** How the client is found where it is no ordinary dependency. */
  find?: (suite: Mocha.Context) => NodeJS.Require;
  open(
    url: string,
    instrument: (instance: object) => void,
    require: NodeJS.Require,
  ): Promise<{ target: Target; close(this: void): unknown }>;
  methods: readonly string[];
  /** Whether its native code survives an argument: others end the process, without us as well. */
  survives?: (argument: string) => boolean;
  /** Whether it answers by promises and callbacks alone. */
  throwsNothing?: boolean;
  /** Why a method that throws is not recorded. */
  unrecorded?: Readonly<Record<string, string>>;
}

/** Starting one takes seconds. */
let shared: Promise<Target> | undefined;

const NOT_RUN = 'nothing is executed by it, so that it has no span where it does not throw';

const mysqlOptions = (url: string): object => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  return { host, port, user, password, database: pathname.slice(1), connectionLimit: 1 };
};

const openSqlite3: ThrowingSuite['open'] = async (_url, _instrument, find) => {
  const { Database } = find('sqlite3');
  const db = new Database(':memory:');
  return { target: db, close: () => db.close() };
};

export const SUITES: ThrowingSuite[] = [
  {
    client: 'pg',
    name: 'client',
    service: 'postgresql',
    async open(url) {
      const { Client } = require('pg') as { Client: new (url: string) => Target };
      const client = new Client(url);
      await client['connect']();
      return { target: client, close: () => client['end']() };
    },
    methods: ['query'],
  },
  {
    client: 'pg',
    name: 'pool',

    throwsNothing: true,
    service: 'postgresql',
    async open(url) {
      const { Pool } = require('pg') as { Pool: new (options: object) => Target };
      const pool = new Pool({ connectionString: url, max: 1 });
      return { target: pool, close: () => pool['end']() };
    },
    methods: ['query'],
  },
  ...(['mysql', 'mysql2'] as const).flatMap((client): ThrowingSuite[] => [
    {
      client,
      name: 'connection',
      service: 'mariadb',
      async open(url) {
        const connection = require(client).createConnection(mysqlOptions(url));
        return { target: connection, close: () => connection.destroy() };
      },
      methods: ['query', 'execute', 'prepare'],
      unrecorded: { prepare: NOT_RUN },
    },
    {
      client,
      name: 'pool',
      service: 'mariadb',
      async open(url) {
        const pool = require(client).createPool(mysqlOptions(url));
        return { target: pool, close: () => pool.end() };
      },
      methods: ['query', 'execute'],
    },
    {
      client,
      name: 'cluster',
      service: 'mariadb',
      async open(url) {
        const cluster = require(client).createPoolCluster();
        cluster.add('one', mysqlOptions(url));
        return { target: cluster.of('*'), close: () => cluster.end() };
      },
      methods: ['query', 'execute'],
    },
  ]),
  {
    client: 'mysql2',
    name: 'promise connection',

    throwsNothing: true,
    service: 'mariadb',
    async open(url) {
      const connection = await require('mysql2/promise').createConnection(mysqlOptions(url));
      return { target: connection, close: () => connection.end() };
    },
    methods: ['query', 'execute', 'prepare'],
  },
  {
    client: 'mysql2',
    name: 'promise pool',

    throwsNothing: true,
    service: 'mariadb',
    async open(url) {
      const pool = require('mysql2/promise').createPool(mysqlOptions(url));
      return { target: pool, close: () => pool.end() };
    },
    methods: ['query', 'execute'],
  },
  ...['mariadb', 'mariadb/callback'].flatMap((library): ThrowingSuite[] => [
    {
      client: 'mariadb',
      name: `${library} connection`,
      service: 'mariadb',
      async open(url) {
        const connection = await require(library).createConnection(mysqlOptions(url));
        return { target: connection, close: () => connection.destroy() };
      },
      methods: ['query', 'queryStream', 'execute', 'batch', 'prepare', 'importFile'],
      unrecorded: { prepare: NOT_RUN },
    },
    {
      client: 'mariadb',
      name: `${library} pool`,
      service: 'mariadb',
      async open(url) {
        const pool = require(library).createPool(mysqlOptions(url));
        return { target: pool, close: () => pool.end() };
      },
      methods: ['query', 'execute', 'batch', 'importFile'],
    },
    {
      client: 'mariadb',
      name: `${library} cluster`,

      throwsNothing: true,
      service: 'mariadb',
      async open(url) {
        const cluster = require(library).createPoolCluster();
        cluster.add('one', mysqlOptions(url));
        return { target: cluster.of('one'), close: () => cluster.end() };
      },
      methods: ['query', 'execute', 'batch'],
    },
  ]),
  {
    client: 'ioredis',
    name: 'client',
    service: 'redis',
    async open(url) {
      const { Redis } = require('ioredis');
      const client = new Redis(url);
      return { target: client, close: () => client.disconnect() };
    },
    methods: ['get', 'set', 'call', 'eval', 'hset', 'sendCommand', 'subscribe'],
  },
  {
    client: 'ioredis',
    name: 'pipeline',
    service: 'redis',
    async open(url) {
      const { Redis } = require('ioredis');
      const client = new Redis(url);
      return { target: client.pipeline(), close: () => client.disconnect() };
    },
    methods: ['get', 'exec', 'sendCommand'],
    unrecorded: { sendCommand: NOT_RUN },
  },
  ...['redis', 'redis-4'].flatMap((library): ThrowingSuite[] => [
    {
      client: 'redis',
      name: library,

      throwsNothing: true,
      service: 'redis',
      async open(url) {
        const client = require(library).createClient({ url });
        await client.connect();
        return { target: client, close: () => client.disconnect() };
      },
      methods: [
        'get',
        'set',
        'sendCommand',
        'eval',
        'hSet',
        'subscribe',
        'mGet',
        'SELECT',
        'scanIterator',
      ],
    },
    {
      client: 'redis',
      name: `${library} multi`,
      service: 'redis',
      async open(url) {
        const client = require(library).createClient({ url });
        await client.connect();
        return { target: client.multi(), close: () => client.disconnect() };
      },
      methods: ['get', 'set', 'hSet', 'addCommand', 'exec'],
      unrecorded: { hSet: NOT_RUN },
    },
  ]),
  {
    client: 'redis',
    name: 'legacy mode',

    throwsNothing: true,
    service: 'redis',
    async open(url) {
      const client = require('redis-4').createClient({ url, legacyMode: true });
      await client.connect();
      return { target: client, close: () => client.disconnect() };
    },
    methods: ['get', 'set', 'sendCommand', 'hSet'],
  },
  {
    client: 'memcached',
    name: 'client',
    service: 'memcached',
    async open(url) {
      const Memcached = require('memcached');
      const client = new Memcached(url.replace(/^.*\/\//, ''));
      return { target: client, close: () => client.end() };
    },
    methods: [
      'get',
      'gets',
      'getMulti',
      'set',
      'add',
      'cas',
      'append',
      'incr',
      'del',
      'touch',
      'version',
      'stats',
      'settings',
      'slabs',
      'items',
      'cachedump',
      'flush',
      'command',
    ],
  },
  {
    client: 'postgres',
    name: 'instance',
    service: 'postgresql',
    async open(url, instrument) {
      const sql = require('postgres')(url, { max: 1 });
      instrument(sql);
      return { target: sql, close: () => sql.end() };
    },
    methods: ['unsafe', 'file'],
  },
  {
    client: 'postgres',
    name: 'tag',
    throwsNothing: true,
    service: 'postgresql',
    async open(url, instrument) {
      const sql = require('postgres')(url, { max: 1 });
      instrument(sql);
      const call = (...args: unknown[]): unknown => {
        const query = sql(...args);
        return typeof query?.execute === 'function' ? query.execute() : query;
      };
      return { target: { call }, close: () => sql.end({ timeout: 1 }) };
    },
    methods: ['call'],
  },
  {
    client: 'knex',
    name: 'builder over pg',
    service: 'postgresql',
    async open(connection) {
      const knex = require('knex')({ client: 'pg', connection });
      return { target: knex, close: () => knex.destroy() };
    },
    methods: ['raw', 'select', 'insert', 'where', 'table'],
    unrecorded: Object.fromEntries(
      ['raw', 'select', 'insert', 'where', 'table'].map((name) => [name, NOT_RUN]),
    ),
  },
  {
    client: 'mongodb',
    name: 'collection',
    throwsNothing: true,
    async open() {
      const { MongoClient } = require('mongodb');
      const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 20 });
      const collection = client.db('x').collection('y');
      return { target: collection, close: () => client.close() };
    },
    methods: ['insertOne', 'insertMany', 'updateOne', 'findOne', 'bulkWrite', 'distinct'],
  },
  {
    client: 'mongodb',
    name: 'cursors and databases',
    async open() {
      const { MongoClient } = require('mongodb');
      const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 20 });
      const db = client.db('x');
      const target = {
        find: (...args: unknown[]) => db.collection('y').find(...args),
        aggregate: (...args: unknown[]) => db.collection('y').aggregate(...args),
        collection: (...args: unknown[]) => db.collection(...args),
        db: (...args: unknown[]) => client.db(...args),
      };
      return { target, close: () => client.close() };
    },
    methods: ['find', 'aggregate', 'collection', 'db'],
    unrecorded: Object.fromEntries(
      ['find', 'aggregate', 'collection', 'db'].map((name) => [name, NOT_RUN]),
    ),
  },
  {
    client: 'pglite',
    name: 'database',
    throwsNothing: true,
    async open() {
      shared ??= require('@electric-sql/pglite').PGlite.create();
      return { target: await shared!, close: () => undefined };
    },
    methods: ['query', 'exec', 'describeQuery', 'sql', 'transaction', 'listen', 'unlisten'],
  },
  {
    client: 'sqlite3',
    name: 'database',
    find: (suite) => requireNative(suite, NEWEST),
    open: openSqlite3,
    methods: ['exec', 'close'],
    unrecorded: { close: NOT_RUN },
  },
  {
    client: 'sqlite3',
    name: 'database, by statements',
    throwsNothing: true,
    find: (suite) => requireNative(suite, NEWEST),
    open: openSqlite3,
    methods: ['run', 'get', 'all', 'each', 'prepare'],
    survives: (argument) => /^(text and a bad|key)/.test(argument),
  },
  {
    client: 'sqlite3',
    name: 'statement',
    find: (suite) => requireNative(suite, NEWEST),
    async open(_url, _instrument, find) {
      const { Database } = find('sqlite3');
      const db = new Database(':memory:');
      const statement = db.prepare('select ?');
      return { target: statement, close: () => statement.finalize(() => db.close()) };
    },
    methods: ['run', 'get', 'all', 'each', 'map', 'bind', 'reset'],
    survives: (argument) => argument !== 'a getter that throws',
    unrecorded: { bind: NOT_RUN, reset: NOT_RUN },
  },
  ...(['database', 'statement'] as const).flatMap((what): ThrowingSuite[] => {
    const open = (db: Target): Awaited<ReturnType<ThrowingSuite['open']>> => ({
      target: what === 'database' ? db : db['prepare']('select ?'),
      close: () => {
        // One that is being iterated stays open.
        try {
          db['close']();
        } catch {
          return;
        }
      },
    });
    const methods = what === 'database' ? ['prepare', 'exec'] : ['run', 'get', 'all', 'iterate'];
    const unrecorded: Record<string, string> =
      what === 'database' ? { prepare: NOT_RUN, pragma: NOT_RUN, transaction: NOT_RUN } : {};
    return [
      {
        client: 'better-sqlite3',
        name: what,
        find: requireBetterSqlite3,
        open: async (_url, _instrument, find) => open(new (find('better-sqlite3'))(':memory:')),
        methods: what === 'database' ? [...methods, 'pragma', 'transaction'] : methods,
        unrecorded,
      },
      {
        client: 'node:sqlite',
        name: what,
        find: (suite) => (process.getBuiltinModule?.('node:sqlite') ? require : suite.skip()),
        open: async () => open(new (require('node:sqlite').DatabaseSync)(':memory:')),
        methods,
        unrecorded,
      },
    ];
  }),
];

/** An error of an argument’s own, which the application gets as it is. */
export class Planted extends Error {}

export const ARGUMENTS: Record<string, () => unknown[]> = {
  nothing: () => [],
  undefined: () => [undefined],
  null: () => [null],
  'a number': () => [1],
  'a symbol': () => [Symbol('s')],
  'an empty object': () => [{}],
  'an object and a number': () => [{ text: 'select 1' }, 1],
  'text and a bad callback': () => ['select 1', 'x', 'x'],
  'text and a symbol': () => ['select 1', [Symbol('s')]],
  'text and undefined': () => ['select ?', [undefined]],
  'key and undefined': () => ['key', undefined],
  'key and an object': () => ['key', {}],
  'a getter that throws': () => [
    {
      get sql() {
        throw new Planted('getter');
      },
      get text() {
        throw new Planted('getter');
      },
    },
  ],
  'a value that throws': () => [
    'select ?',
    [
      {
        toString() {
          throw new Planted('value');
        },
        toSqlString() {
          throw new Planted('value');
        },
        toPostgres() {
          throw new Planted('value');
        },
      },
    ],
  ],
};
