import { createRequire } from 'node:module';

import type { Collection, Db, MongoClient } from 'mongodb';
import type * as Mongodb from 'mongodb';

import type { Form, FormSuite } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import { startStandIn } from './stand-in.ts';

/** What three callers share: a client with one connection. */
interface Target {
  client: MongoClient;
  db: Db;
  numbers: Collection;
}

const forms: Form<Target>[] = [
  {
    name: 'findOne',
    run: async ({ numbers }, note) => {
      await numbers.findOne({ text: 'secret-value' });
      note('continuation');
    },
  },
  {
    name: 'cursor with getMore, for await',
    operations: 2,
    run: async ({ numbers }, note) => {
      for await (const row of numbers.find({}, { batchSize: 3 })) note(`row ${typeof row}`);
      note('after the loop');
    },
  },
  {
    name: 'cursor, toArray',
    run: ({ numbers }, note) =>
      numbers
        .find()
        .toArray()
        .then(() => note('then')),
  },
  {
    name: 'cursor stream',
    operations: 2,
    run: async ({ numbers }, note) => {
      const stream = numbers.find({}, { batchSize: 3 }).stream();
      stream.on('data', () => note('data'));
      await called((done) =>
        stream.on('end', () => {
          note('end');
          done();
        }),
      );
    },
  },
  {
    name: 'aggregate',
    run: async ({ numbers }, note) => {
      await numbers.aggregate([{ $match: { text: 'secret-value' } }]).toArray();
      note('continuation');
    },
  },
  {
    name: 'insertMany',
    run: async ({ numbers }, note) => {
      await numbers.insertMany([{ text: 'secret-value' }, { text: 'secret-value' }]);
      note('continuation');
    },
  },
  {
    name: 'bulkWrite of two kinds',
    operations: 2,
    run: async ({ numbers }, note) => {
      await numbers.bulkWrite([
        { insertOne: { document: { text: 'secret-value' } } },
        { deleteOne: { filter: { text: 'secret-value' } } },
      ]);
      note('continuation');
    },
  },
  {
    name: 'transaction',
    operations: 3,
    run: async ({ client, numbers }, note) => {
      const session = client.startSession();
      await session.withTransaction(async () => {
        await numbers.insertOne({ text: 'secret-value' }, { session });
        note('inserted');
        await numbers.updateOne({ _id: 1 as never }, { $set: { n: 1 } }, { session });
        note('updated');
      });
      note('committed');
      await session.endSession();
    },
  },
  {
    name: 'command that is refused',
    run: ({ db }, note) =>
      db
        .collection('refused')
        .findOne({})
        .catch(() => note('catch')),
  },
  {
    name: 'command',
    run: async ({ db }, note) => {
      await db.command({ ping: 1 });
      note('continuation');
    },
  },
];

export function formsOf(load: () => typeof Mongodb): FormSuite {
  return {
    client: 'mongodb',
    settings: [
      {
        name: 'a pool of one',
        open: async () => {
          const server = await startStandIn();
          const { MongoClient } = load();
          const client = new MongoClient(process.env['MONGODB_URL'] ?? server.url, {
            maxPoolSize: 1,
          });
          await client.connect();
          const db = client.db('test');
          const close = async (): Promise<void> => {
            await client.close();
            await server.stop();
          };
          return { target: { client, db, numbers: db.collection('numbers') }, close };
        },
        forms,
      },
    ],
  };
}

const require = createRequire(import.meta.url);

export const mongodbForms: FormSuite = formsOf(() => require('mongodb') as typeof Mongodb);
