import type { Collection, Db, Document, MongoClient } from 'mongodb';
import type * as Mongodb from 'mongodb';

import type { Form, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/** Why there is no `db.query.text`. */
export const NO_TEXT = 'a document is nothing but the values of the application';

/** What three callers share: a client with one connection. */
export interface Target {
  driver: typeof Mongodb;
  client: MongoClient;
  db: Db;
  /** Five documents, which nobody changes. */
  numbers: Collection<Numbered>;
  /** For whatever is written. */
  scratch: Collection;
}

export interface Numbered extends Document {
  _id: number;
  text: string;
}

const SECRET = { text: 'secret-value' };

/** A promise form, which has nothing but its continuation. */
const simple = (
  name: string,
  call: (target: Target) => Promise<unknown>,
  operations = 1,
): Form<Target> => ({
  name,
  operations,
  run: async (target, note) => {
    await call(target);
    note('continuation');
  },
});

let names = 0;
/** A name that no other caller uses. */
const unique = (): string => `own_${process.pid}_${++names}`;

/** Reads five documents in two batches with whatever `read` does. */
const cursor = (
  name: string,
  read: (rows: Mongodb.FindCursor<Numbered>, note: Note) => Promise<unknown>,
  operations = 2,
): Form<Target> => ({
  name: `cursor, ${name}`,
  operations,
  run: async ({ numbers }, note) => {
    await read(numbers.find({}, { batchSize: 3 }), note);
    note('continuation');
  },
});

const reading: Form<Target>[] = [
  simple('findOne', ({ numbers }) => numbers.findOne(SECRET)),
  simple('countDocuments', ({ numbers }) => numbers.countDocuments(SECRET)),
  simple('estimatedDocumentCount', ({ numbers }) => numbers.estimatedDocumentCount()),
  simple('distinct', ({ numbers }) => numbers.distinct('text', SECRET)),
  simple('aggregate', ({ numbers }) => numbers.aggregate([{ $match: SECRET }]).toArray()),
  simple('explain', ({ numbers }) => numbers.find(SECRET).explain()),
  cursor('toArray', (rows) => rows.toArray()),
  cursor('then', (rows, note) => rows.toArray().then(() => note('then'))),
  cursor('for await', async (rows, note) => {
    for await (const row of rows) note(`row ${typeof row}`);
  }),
  cursor('forEach', (rows, note) => rows.forEach(() => note('row'))),
  cursor('hasNext and next', async (rows, note) => {
    while (await rows.hasNext()) {
      await rows.next();
      note('row');
    }
  }),
  cursor('tryNext', async (rows, note) => {
    while ((await rows.tryNext()) !== null) note('row');
  }),
  cursor('map', async (rows, note) => {
    await rows.map(() => note('mapped')).toArray();
  }),
  cursor('left early', async (rows, note) => {
    for await (const row of rows) {
      note(`row ${typeof row}`);
      break;
    }
  }),
  cursor('closed', async (rows, note) => {
    rows.on('close', () => note('close'));
    await rows.next();
    await rows.close();
  }),
  cursor('stream', (rows, note) => streamed(rows.stream(), note)),
  cursor('for await of a stream', async (rows, note) => {
    for await (const row of rows.stream()) note(`row ${typeof row}`);
  }),
];

const streamed = (stream: NodeJS.ReadableStream, note: Note): Promise<unknown> => {
  stream.on('data', () => note('data'));
  return called((done) =>
    stream.on('end', () => {
      note('end');
      done();
    }),
  );
};

const writing: Form<Target>[] = [
  simple('insertOne', ({ scratch }) => scratch.insertOne({ ...SECRET })),
  simple('insertMany', ({ scratch }) => scratch.insertMany([{ ...SECRET }, { ...SECRET }])),
  simple('updateOne', ({ scratch }) => scratch.updateOne(SECRET, { $set: { n: 1 } })),
  simple('updateMany', ({ scratch }) => scratch.updateMany(SECRET, { $set: { n: 1 } })),
  simple('replaceOne', ({ scratch }) => scratch.replaceOne(SECRET, SECRET, { upsert: true })),
  simple('deleteOne', ({ scratch }) => scratch.deleteOne(SECRET)),
  simple('deleteMany', ({ scratch }) => scratch.deleteMany(SECRET)),
  simple('findOneAndUpdate', ({ scratch }) => scratch.findOneAndUpdate(SECRET, { $set: { n: 1 } })),
  simple('findOneAndReplace', ({ scratch }) => scratch.findOneAndReplace(SECRET, SECRET)),
  simple('findOneAndDelete', ({ scratch }) => scratch.findOneAndDelete(SECRET)),
  simple('write nobody waits for', ({ scratch }) =>
    scratch.insertOne({ ...SECRET }, { writeConcern: { w: 0 } }),
  ),
  simple(
    'bulkWrite of three kinds',
    ({ scratch }) =>
      scratch.bulkWrite([
        { insertOne: { document: { ...SECRET } } },
        { updateOne: { filter: SECRET, update: { $set: { n: 1 } } } },
        { deleteOne: { filter: SECRET } },
      ]),
    3,
  ),
  simple('unordered bulkWrite', ({ scratch }) =>
    scratch.bulkWrite(
      [{ insertOne: { document: { ...SECRET } } }, { insertOne: { document: { ...SECRET } } }],
      { ordered: false },
    ),
  ),
  simple(
    'initializeOrderedBulkOp',
    ({ scratch }) => {
      const bulk = scratch.initializeOrderedBulkOp();
      bulk.insert({ ...SECRET });
      bulk.find(SECRET).updateOne({ $set: { n: 1 } });
      return bulk.execute();
    },
    2,
  ),
  {
    name: 'duplicate key',
    run: ({ numbers }, note) =>
      numbers.insertOne({ _id: 1, text: 'secret-value' }).catch(() => note('catch')),
  },
];

const administrating: Form<Target>[] = [
  simple('command', ({ db }) => db.command({ ping: 1 })),
  {
    name: 'command that is refused',
    run: ({ db }, note) => db.command({ noSuchCommand: 'secret-value' }).catch(() => note('catch')),
  },
  simple('runCursorCommand', ({ db }) => db.runCursorCommand({ find: 'numbers' }).toArray()),
  simple('admin', ({ db }) => db.admin().listDatabases()),
  simple('listCollections', ({ db }) => db.listCollections().toArray()),
  simple('stats', ({ db }) => db.stats()),
  simple('createIndex', ({ scratch }) => scratch.createIndex({ n: 1 })),
  simple('listIndexes', ({ numbers }) => numbers.listIndexes().toArray()),
  simple(
    'createCollection and drop',
    async ({ db }) => {
      const collection = await db.createCollection(unique());
      await collection.drop();
    },
    2,
  ),
];

const sessions: Form<Target>[] = [
  {
    name: 'session',
    run: async ({ client, numbers }, note) => {
      const session = client.startSession();
      session.on('ended', () => note('ended'));
      await numbers.findOne(SECRET, { session });
      note('found');
      await session.endSession();
      note('continuation');
    },
  },
  {
    name: 'withSession',
    run: async ({ client, numbers }, note) => {
      await client.withSession(async (session) => {
        note('inside');
        await numbers.findOne(SECRET, { session });
        note('found');
      });
      note('continuation');
    },
  },
];

const files: Form<Target>[] = [
  {
    name: 'GridFS, upload',
    operations: 3,
    run: async ({ driver, db }, note) => {
      const upload = new driver.GridFSBucket(db).openUploadStream('upload');
      await called((done) => {
        upload.on('finish', () => {
          note('finish');
          done();
        });
        upload.end(Buffer.alloc(100), () => note('callback'));
      });
    },
  },
  {
    name: 'GridFS, download',
    operations: 2,
    run: ({ driver, db }, note) =>
      streamed(new driver.GridFSBucket(db).openDownloadStreamByName('kept'), note),
  },
];

/** What a real server is asked. */
export const serverForms: Form<Target>[] = [
  ...reading,
  ...writing,
  ...administrating,
  ...sessions,
  ...files,
];
