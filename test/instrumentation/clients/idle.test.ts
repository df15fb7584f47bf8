import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cluster, Redis } from 'ioredis';
import knex from 'knex';
import type * as mariadb from 'mariadb';
import Memcached from 'memcached';
import { MongoClient } from 'mongodb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type postgres from 'postgres';
import { createClient, createClientPool } from 'redis';

import { getInstrumentations, type Instrumentation } from '../../../src/instrumentation/index.ts';
import { requireService, type ServiceName } from '../../support/services.ts';
import { asCaller } from '../support/callers.ts';
import { registerTelemetry } from '../support/telemetry.ts';

const load = createRequire(import.meta.url);

/** Longer than what the clients below are told to do of their own accord takes to begin. */
const IDLE_MILLIS = 1500;

interface Opened {
  use(): Promise<unknown>;
  close(): Promise<unknown> | void;
}

interface Idle {
  service: ServiceName;
  /** Opens a client that has much to do while nobody asks anything of it, and uses it once. */
  open(this: void, url: string): Promise<Opened>;
}

const CLIENTS: Record<string, Idle> = {
  'a pool of pg that replaces its clients': {
    service: 'postgresql',
    open: async (connectionString) => {
      const pool = new pg.Pool({ connectionString, idleTimeoutMillis: 100, min: 1 });
      return { use: () => pool.query('select 1'), close: () => pool.end() };
    },
  },
  'postgres.js that replaces its connections': {
    service: 'postgresql',
    open: async (url) => {
      // What is replaced or found as it is loaded must not have been imported before.
      const sql = (load('postgres') as typeof postgres)(url, {
        idle_timeout: 1,
        max_lifetime: 1,
        keep_alive: 1,
      });
      return { use: async () => sql`select 1`, close: () => sql.end() };
    },
  },
  'a pool of mysql2 that drops idle connections': {
    service: 'mariadb',
    open: async (uri) => {
      const pool = mysql.createPool({
        uri,
        maxIdle: 1,
        idleTimeout: 200,
        keepAliveInitialDelay: 100,
      });
      return { use: () => pool.query('select 1'), close: () => pool.end() };
    },
  },
  'a pool of mariadb that validates and replaces its connections': {
    service: 'mariadb',
    open: async (url) => {
      const { hostname: host, port, username: user, password, pathname } = new URL(url);
      const pool = (load('mariadb') as typeof mariadb).createPool({
        host,
        port: Number(port),
        user,
        password,
        database: pathname.slice(1),
        minimumIdle: 3,
        idleTimeout: 1,
        minDelayValidation: 0,
        connectionLimit: 5,
      });
      return { use: () => pool.query('select 1'), close: () => pool.end() };
    },
  },
  'a pool of knex over mysql2': {
    service: 'mariadb',
    open: async (connection) => {
      const db = knex({
        client: 'mysql2',
        connection,
        pool: { min: 2, max: 3, idleTimeoutMillis: 100, reapIntervalMillis: 100 },
      });
      return { use: async () => db.raw('select 1'), close: () => db.destroy() };
    },
  },
  'a client of node-redis that pings': {
    service: 'redis',
    open: async (url) => {
      const client = createClient({ url, pingInterval: 100 });
      await client.connect();
      return { use: () => client.get('clew:a'), close: () => client.close() };
    },
  },
  'a pool of node-redis': {
    service: 'redis',
    open: async (url) => {
      const pool = createClientPool({ url, pingInterval: 100 }, { minimum: 2, cleanupDelay: 100 });
      // A client that is dropped while it pings emits an error, without clew, too.
      pool.on('error', () => undefined);
      await pool.connect();
      return { use: () => pool.get('clew:a'), close: () => pool.close() };
    },
  },
  'ioredis that reconnects': {
    service: 'redis',
    open: async (url) => {
      const redis = new Redis(url, { retryStrategy: () => 50 });
      const timer = setInterval(() => redis.stream?.destroy(), 300);
      return {
        use: () => redis.get('clew:a'),
        close: () => {
          clearInterval(timer);
          redis.disconnect();
        },
      };
    },
  },
  'a cluster of ioredis that asks for its slots': {
    service: 'redis-cluster',
    open: async (url) => {
      const { hostname: host, port } = new URL(url);
      const cluster = new Cluster([{ host, port: Number(port) }], { slotsRefreshInterval: 200 });
      return { use: () => cluster.get('clew:a'), close: () => cluster.disconnect() };
    },
  },
  'mongodb that watches its server': {
    service: 'mongodb',
    open: async (url) => {
      const client = new MongoClient(url, {
        heartbeatFrequencyMS: 500,
        minPoolSize: 2,
        maxIdleTimeMS: 200,
      });
      return {
        use: () => client.db('clew').collection('idle').findOne({}),
        close: () => client.close(),
      };
    },
  },
  'memcached that closes idle connections': {
    service: 'memcached',
    open: async (url) => {
      const client = new Memcached(new URL(url).host, { idle: 200, poolSize: 2 });
      const use = (): Promise<unknown> =>
        new Promise((resolve) => client.get('clew-a', (_error, value) => resolve(value)));
      return { use, close: () => client.end() };
    },
  },
};

describe('A client that is not used', function () {
  this.timeout(120_000);
  let instrumentations: Instrumentation[];

  before(() => {
    // Whatever a client does of its own accord has no parent, and would make a trace.
    instrumentations = getInstrumentations({ all: { requireParent: false, acquireSpans: true } });
    for (const instrumentation of instrumentations) instrumentation.enable();
  });
  after(() => {
    for (const instrumentation of instrumentations) instrumentation.disable();
  });

  for (const [name, { service, open }] of Object.entries(CLIENTS)) {
    it(`makes no spans: ${name}`, async function () {
      const url = await requireService(this, service);
      const telemetry = registerTelemetry();
      const client = await open(url);
      try {
        // Three at once, so that there is more than one connection that may be idle.
        const use = (): Promise<unknown> => asCaller('a', () => client.use(), { withSpan: true });
        await Promise.all([use(), use(), use()]);
        const used = telemetry.spans().filter((span) => !span.name.startsWith('caller '));
        assert.ok(used.length > 0, 'its use makes spans');
        telemetry.reset();
        await sleep(IDLE_MILLIS);
        const names = telemetry.spans().map((span) => span.name);
        assert.deepEqual(names, []);
      } finally {
        await client.close();
      }
    });
  }
});
