import type Memcached from 'memcached';
import type * as mongodb from 'mongodb';

import { requireClient, type ClientCase } from './variants.ts';

const mongodbUrl = process.env['MONGODB_URL'];
const memcachedUrl = process.env['MEMCACHED_URL'];

const MONGODB: readonly ClientCase[] =
  mongodbUrl === undefined
    ? []
    : [
        {
          name: 'mongodb findOne, promise',
          client: 'mongodb',
          datadogSpans: 1,
          officialSpans: 1,
          // FerretDB takes its time, and the driver has much code to be compiled.
          count: 200,
          warmUps: 100,
          open: async () => {
            const { MongoClient } = requireClient<typeof mongodb>('mongodb');
            const client = await new MongoClient(mongodbUrl, { maxPoolSize: 1 }).connect();
            const things = client.db('clew_bench').collection<{ _id: number }>('things');
            await things.updateOne({ _id: 1 }, { $set: { n: 1 } }, { upsert: true });
            return { call: () => things.findOne({ _id: 1 }), close: () => client.close() };
          },
        },
      ];

const MEMCACHED: readonly ClientCase[] =
  memcachedUrl === undefined
    ? []
    : [
        {
          name: 'memcached get, callback',
          client: 'memcached',
          datadogSpans: 1,
          officialSpans: 1,
          open: () => {
            const Client = requireClient<typeof Memcached>('memcached');
            const client = new Client(memcachedUrl.replace('memcached://', ''));
            return {
              call: () => new Promise((resolve) => client.get('clew:a', resolve)),
              close: () => client.end(),
            };
          },
        },
      ];

export const KEY_VALUE_CASES: readonly ClientCase[] = [...MONGODB, ...MEMCACHED];
