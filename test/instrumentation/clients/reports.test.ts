import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { once } from 'node:events';

import { getInstrumentations } from '../../../src/instrumentation/index.ts';
import { requireService, type ServiceName } from '../../support/services.ts';
import { assertNoDifference, describeError } from '../support/differential.ts';
import { startStandIn } from './mongodb/stand-in.ts';

/*
 * What other tools of this field broke, by their public reports. Each scenario runs bare and
 * instrumented, and the application sees no difference: neither in what comes out nor in what is
 * thrown past it.
 */
const load = createRequire(import.meta.url);

interface Report {
  /** Where it was reported. */
  of: string;
  service?: ServiceName;
  run(this: void, url: string): Promise<unknown>;
}

type Method = (...args: any[]) => any;
const outcome = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    return await promise;
  } catch (error) {
    return describeError(error);
  }
};
const called = (start: (done: Method) => void): Promise<unknown[]> =>
  new Promise((resolve) => {
    start((...args) => resolve(args));
  });
const soon = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 30));

const withPg = async (url: string, use: (client: any) => Promise<unknown>): Promise<unknown> => {
  const { Client } = load('pg');
  const client = new Client(url);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};

const REPORTS: Record<string, Report> = {
  'pg: a stream of rows, and one that fails': {
    of: 'open-telemetry/opentelemetry-js-contrib#991',
    service: 'postgresql',
    run: (url) =>
      withPg(url, async (client) => {
        const QueryStream = load('pg-query-stream');
        const rows: unknown[] = [];
        for await (const row of client.query(new QueryStream('select 1 as n'))) rows.push(row);
        const failing = client.query(new QueryStream('select wrong'));
        const [error] = await called((done) => failing.on('error', done).resume());
        return [rows, describeError(error)];
      }),
  },
  'pg: a statement whose text is a getter of its class': {
    of: 'open-telemetry/opentelemetry-js-contrib#3258',
    service: 'postgresql',
    run: (url) =>
      withPg(url, async (client) => {
        class Statement {
          values = [1];
          get text(): string {
            return 'select $1::int as n';
          }
        }
        return (await client.query(new Statement())).rows;
      }),
  },
  'pg: a rejected query is rejected once, and one that is not handled is told once': {
    of: 'elastic/apm-agent-nodejs#1829',
    service: 'postgresql',
    run: (url) =>
      withPg(url, async (client) => {
        const caught = await outcome(client.query('select wrong'));
        void client.query('select wrong, too');
        // Queries are answered in their order.
        await client.query('select 1');
        await soon();
        return caught;
      }),
  },
  'pg: the callback of connect gets the client, as knex asks of it': {
    of: 'appsignal/appsignal-nodejs#810',
    service: 'postgresql',
    async run(url) {
      const { Client, Pool } = load('pg');
      const client = new Client(url);
      const given = await called((done) => client.connect(done));
      const pool = new Pool({ connectionString: url, max: 1 });
      const [error, pooled, release] = await called((done) => pool.connect(done));
      const seen = [
        given.length,
        given[1] === client || given[1],
        error,
        typeof pooled,
        typeof release,
      ];
      (release as Method)();
      await client.query('select 1');
      await Promise.all([client.end(), pool.end()]);
      return seen;
    },
  },
  'pg: an application that patches connect itself gets its promise': {
    of: 'vitaly-t/pg-promise#777',
    service: 'postgresql',
    async run(url) {
      const { Client } = load('pg');
      const { connect } = Client.prototype;
      Client.prototype.connect = function patched(this: object, ...args: unknown[]) {
        return connect.apply(this, args);
      };
      try {
        const client = new Client(url);
        const promise = client.connect();
        const isPromise = promise instanceof Promise;
        await promise;
        await client.query('select 1');
        await client.end();
        const refused = new Client({ port: 1, host: '127.0.0.1' });
        return [isPromise, await outcome(refused.connect())];
      } finally {
        Client.prototype.connect = connect;
      }
    },
  },
  'ioredis: a pipeline with a command that is refused': {
    of: 'newrelic/node-newrelic#3448',
    service: 'redis',
    async run(url) {
      const { Redis } = load('ioredis');
      const redis = new Redis(url);
      const [answer] = await redis.pipeline().set('clew:k', []).exec();
      const rejected = await outcome(redis.call('SET', 'clew:k'));
      await soon();
      await redis.quit();
      return [answer.map(describeError), rejected];
    },
  },
  'ioredis: a cluster that cannot be reached': {
    of: 'newrelic/node-newrelic#566',
    async run() {
      const { Cluster } = load('ioredis');
      const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], {
        clusterRetryStrategy: () => null,
        lazyConnect: true,
      });
      const errors: string[] = [];
      cluster.on('error', (error: Error) => errors.push(error.message));
      const connected = await outcome(cluster.connect());
      const answered = await outcome(cluster.get('x'));
      await soon();
      cluster.disconnect();
      return [connected, answered, errors];
    },
  },
  'redis: a transaction of which one command fails': {
    of: 'open-telemetry/opentelemetry-js-contrib#1708',
    service: 'redis',
    async run(url) {
      const seen: unknown[] = [];
      for (const library of ['redis', 'redis-4']) {
        const client = load(library).createClient({ url });
        await client.connect();
        await client.set('clew:text', 'x');
        const multi = client.multi().set('clew:k', '1').incr('clew:text').get('clew:k');
        seen.push(await outcome(multi.exec()));
        await soon();
        await client.disconnect();
      }
      return JSON.stringify(seen);
    },
  },
  'mongodb: filters that are no plain objects': {
    of: 'DataDog/dd-trace-js#2365',
    async run() {
      const server = await startStandIn();
      const { MongoClient, ObjectId } = load('mongodb');
      const client = new MongoClient(server.url);
      try {
        const numbers = client.db('x').collection('numbers');
        const bare = Object.assign(Object.create(null), { toJSON: 1, id: new ObjectId() });
        const found = await numbers.find({ a: bare, b: null, c: new Map([['d', bare]]) }).toArray();
        return [found.length, await outcome(numbers.find({ $where: () => true }).toArray())];
      } finally {
        await client.close();
        await server.stop();
      }
    },
  },
  'mongodb: aggregate with one argument, with none and with what is none': {
    of: 'RisingStack/trace-nodejs#111',
    async run() {
      const server = await startStandIn();
      const { MongoClient } = load('mongodb');
      const client = new MongoClient(server.url);
      try {
        const numbers = client.db('x').collection('numbers');
        return [
          await outcome(numbers.aggregate([]).toArray()),
          await outcome((async () => numbers.aggregate().toArray())()),
          await outcome((async () => numbers.aggregate(null, null).toArray())()),
        ];
      } finally {
        await client.close();
        await server.stop();
      }
    },
  },
  'mysql2: a server that ends the connection in the middle of the handshake': {
    of: 'DataDog/dd-trace-js#971',
    async run() {
      const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const { createConnection } = load('mysql2');
      const connection = createConnection({ host: '127.0.0.1', port });
      const [error] = await called((done) => connection.on('error', done));
      server.close();
      return describeError(error);
    },
  },
  'mysql2: prototypes of promises, and this of callbacks': {
    of: 'DataDog/dd-trace-js#132',
    service: 'mariadb',
    async run(uri) {
      const connection = await load('mysql2/promise').createConnection(uri);
      const promise = connection.query('select 1 as n');
      const isPromise = promise.constructor === Promise;
      const [rows] = await promise;
      const results = await called((done) => {
        const command = connection.connection.query(
          'select 2 as n',
          function (this: object, ...args: unknown[]) {
            done(this === command, ...args.slice(0, 2));
          },
        );
      });
      await connection.end();
      return JSON.stringify([isPromise, rows, results]);
    },
  },
};

describe('What was reported of other tools', function () {
  this.timeout(120_000);
  const all = getInstrumentations({ all: { requireParent: false } });
  const instrumentations = {
    enable: () => all.forEach((each) => each.enable()),
    disable: () => all.forEach((each) => each.disable()),
  };

  for (const [title, { of, service, run }] of Object.entries(REPORTS)) {
    it(`does not happen: ${title} (${of})`, async function () {
      const url = service ? await requireService(this, service) : '';
      const spans = await assertNoDifference(() => run(url), instrumentations);
      // Each of them is recorded; where there is nothing to reach there may be nothing to record.
      if (service) assert.ok(spans > 0);
    });
  }
});
