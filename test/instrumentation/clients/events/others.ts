import type * as GenericPool from 'generic-pool';
import type * as Mongodb from 'mongodb';

import { startStandIn } from '../mongodb/stand-in.ts';
import { require, soon, type EventScenario } from './scenario.ts';

const Memcached = require('memcached') as new (url: string, options?: object) => any;
const genericPool = require('generic-pool') as typeof GenericPool;
const { Pool: Tarn } = require('tarn') as typeof import('tarn');
const { MongoClient } = require('mongodb') as typeof Mongodb;

const called = (start: (done: (error: unknown, result?: any) => void) => unknown): Promise<any> =>
  new Promise((resolve) => {
    start((error, result) => resolve(error ?? result));
  });

const MONGODB = [
  'commandStarted',
  'commandSucceeded',
  'commandFailed',
  'connectionPoolCreated',
  'connectionPoolReady',
  'connectionPoolCleared',
  'connectionPoolClosed',
  'connectionCreated',
  'connectionReady',
  'connectionClosed',
  'connectionCheckOutStarted',
  'connectionCheckOutFailed',
  'connectionCheckedOut',
  'connectionCheckedIn',
  'serverOpening',
  'serverClosed',
  'serverDescriptionChanged',
  'topologyOpening',
  'topologyClosed',
  'topologyDescriptionChanged',
  'serverHeartbeatStarted',
  'serverHeartbeatSucceeded',
  'serverHeartbeatFailed',
  'open',
  'close',
  'error',
  'timeout',
];

export const others: EventScenario[] = [
  {
    client: 'mongodb',
    name: 'a client that a caller opens and others use',
    async run({ listen, as }) {
      const server = await startStandIn();
      const client = new MongoClient(server.url, { monitorCommands: true, maxPoolSize: 1 });
      listen(client, MONGODB);
      try {
        await as('a', () => client.connect());
        await Promise.all(
          ['b', 'c'].map((name) => as(name, () => client.db('x').command({ ping: 1 }))),
        );
        await as('d', () =>
          client
            .db('x')
            .command({ nonsense: 1 })
            .catch(() => undefined),
        );
        await as('e', () => client.close());
      } finally {
        await server.stop();
      }
    },
  },
  {
    client: 'mongodb',
    name: 'change streams, cursors and sessions',
    nobodys: { close: 'by close() or by the request for more that it ends, whichever is first' },
    async run({ hears, listen, as }) {
      const server = await startStandIn();
      const client = new MongoClient(server.url);
      const collection = client.db('x').collection('y');
      try {
        await as('a', async () => {
          const stream = collection.watch();
          stream.on('change', hears('change of a caller'));
          await new Promise((resolve) => stream.once('change', resolve));
          await stream.close();
        });
        const stream = collection.watch();
        // How often it is told that there is nothing more is a matter of time.
        listen(stream, ['init', 'change', 'error', 'end', 'close']);
        await soon(60);
        await as('b', () => stream.close());
        await as('c', async () => {
          const cursor = client.db('x').collection('numbers').find();
          cursor.on('close', hears('close of a cursor'));
          await cursor.toArray();
        });
        await as('d', async () => {
          const rows = client.db('x').collection('numbers').find().stream();
          rows.on('data', hears('data of a stream'));
          await new Promise((resolve) => rows.on('end', resolve));
        });
        await as('e', () =>
          client.withSession(async (session) => {
            session.on('ended', hears('ended'));
            await collection.insertOne({}, { session });
          }),
        );
      } finally {
        await client.close();
        await server.stop();
      }
    },
  },
  {
    client: 'mongodb',
    name: 'a server that is not there',
    async run({ listen, as }) {
      const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 50 });
      listen(client, MONGODB);
      await as('a', () => client.connect().catch(() => undefined) as Promise<unknown>);
      await as('b', () => client.close());
    },
  },
  {
    client: 'memcached',
    name: 'servers that are not there',
    service: 'memcached',
    async run({ listen, as }) {
      const client = new Memcached('127.0.0.1:1', {
        retries: 1,
        retry: 10,
        reconnect: 10,
        failures: 1,
        remove: true,
      });
      listen(client, ['issue', 'failure', 'reconnecting', 'reconnect', 'remove']);
      await as('a', () => called((done) => client.get('x', done)));
      await soon(40);
      await as('b', () => called((done) => client.get('x', done)));
      await soon(40);
      client.end();
    },
  },
  {
    client: 'generic-pool',
    name: 'a factory that fails',
    async run({ listen, as }) {
      let failures = 1;
      const pool = genericPool.createPool(
        {
          create: async () => {
            if (failures-- > 0) throw new Error('not this time');
            return {};
          },
          destroy: async () => {
            throw new Error('cannot be destroyed');
          },
        },
        { max: 1 },
      );
      listen(pool, ['factoryCreateError', 'factoryDestroyError']);
      await as('a', async () => {
        const resource = await pool.acquire();
        await pool.destroy(resource);
      });
      await soon();
    },
  },
  {
    client: 'tarn',
    name: 'a pool of one',
    async run({ listen, as }) {
      const pool = new Tarn<object>({
        create: async () => ({}),
        destroy: async () => undefined,
        min: 0,
        max: 1,
      });
      listen(pool as never, [
        'acquireRequest',
        'acquireSuccess',
        'acquireFail',
        'createRequest',
        'createSuccess',
        'createFail',
        'release',
        'destroyRequest',
        'destroySuccess',
        'destroyFail',
        'startReaping',
        'stopReaping',
        'poolDestroyRequest',
        'poolDestroySuccess',
      ]);
      const use = async (): Promise<void> => {
        const resource = await pool.acquire().promise;
        pool.release(resource);
      };
      await Promise.all(['a', 'b', 'c'].map((name) => as(name, use)));
      await as('d', () => pool.destroy() as Promise<unknown>);
    },
  },
];
