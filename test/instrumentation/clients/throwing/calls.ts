import { createRequire } from 'node:module';

import type { ClientName } from '../../../../src/instrumentation/index.ts';
import type { ServiceName } from '../../../support/services.ts';

const require: NodeJS.Require = createRequire(import.meta.url);

type Target = Record<string, any>;

/** What calls of a client are tried on, and how they are called wrongly. */
export interface ThrowingSuite {
  client: ClientName;
  name: string;
  service?: ServiceName;
  open(
    url: string,
    instrument: (instance: object) => void,
  ): Promise<{ target: Target; close(this: void): unknown }>;
  methods: readonly string[];
  /** Whether it answers by promises and callbacks alone. */
  throwsNothing?: boolean;
  /** Why a method that throws is not recorded. */
  unrecorded?: Readonly<Record<string, string>>;
}

const NOT_RUN = 'nothing is executed by it, so that it has no span where it does not throw';

const mysqlOptions = (url: string): object => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  return { host, port, user, password, database: pathname.slice(1), connectionLimit: 1 };
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
      unrecorded: Object.fromEntries(
        ['query', 'queryStream', 'execute', 'batch', 'prepare', 'importFile'].map((name) => [
          name,
          'the class of what the application has is in nobody’s exports',
        ]),
      ),
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
];

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
        throw new Error('getter');
      },
      get text() {
        throw new Error('getter');
      },
    },
  ],
  'a value that throws': () => [
    'select ?',
    [
      {
        toString() {
          throw new Error('value');
        },
        toSqlString() {
          throw new Error('value');
        },
        toPostgres() {
          throw new Error('value');
        },
      },
    ],
  ],
};
