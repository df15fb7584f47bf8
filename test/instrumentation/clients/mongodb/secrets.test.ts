import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import fc from 'fast-check';
import type * as Mongodb from 'mongodb';
import { BSON, type Collection, type Document } from 'mongodb';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { registerMeasurements, type Measure } from '../../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { startStandIn } from './stand-in.ts';

const require = createRequire(import.meta.url);

/** In every value; as text, and as the bytes of identifiers and binaries in all their spellings. */
const SECRET = 'Secr3tV4lue!';
const BYTES = Buffer.from(SECRET);
const SPELLINGS = [SECRET, BYTES.toString('hex'), BYTES.toString('base64'), '4242424242'];

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.string().map((text) => text + SECRET),
  fc.constant(SECRET.repeat(5000)),
  fc.constant(4_242_424_242),
  fc.constant(BSON.Long.fromString('424242424242')),
  fc.constant(new BSON.ObjectId(BYTES)),
  fc.constant(new BSON.Binary(BYTES)),
  fc.constant(new BSON.BSONRegExp(SECRET)),
  fc.constant(new BSON.Code(`return '${SECRET}'`)),
  fc.constant(BYTES),
);

const key = fc.oneof(
  fc.constantFrom('$set', '$where', 'find', 'getMore', 'collection', 'documents', 'name', 'db'),
  fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
);

const { document } = fc.letrec<{ document: Document; any: unknown }>((tie) => ({
  any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, value, tie('document'), list(tie)),
  document: fc.dictionary(key, tie('any'), { minKeys: 1, maxKeys: 4 }),
}));

function list(tie: (key: 'any') => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(tie('any'), { maxLength: 3 });
}

interface Place {
  client: Mongodb.MongoClient;
  db: Mongodb.Db;
  collection: Collection<any>;
}

/** Every form of command, each with documents where documents go. */
const COMMANDS: Record<string, (place: Place, one: Document, two: Document) => Promise<unknown>> = {
  find: ({ collection }, one, hint) => collection.find(one, { sort: { n: 1 }, hint }).toArray(),
  'find with an index of its own': ({ collection }, min, max) =>
    collection.find({}, { min, max, comment: SECRET }).toArray(),
  findOne: ({ collection }, one, projection) => collection.findOne(one, { projection }),
  distinct: ({ collection }, one) => collection.distinct(SECRET, one),
  count: ({ collection }, one) => collection.countDocuments(one),
  aggregate: ({ collection }, $match, $group) =>
    collection.aggregate([{ $match }, { $group }], { let: $match }).toArray(),
  'aggregate of a database': ({ db }, one) => db.aggregate([{ $documents: [one] }]).toArray(),
  explain: ({ collection }, one) => collection.find(one).explain(),
  watch: async ({ collection }, $match) => {
    const stream = collection.watch([{ $match }]);
    await stream.tryNext().finally(() => stream.close());
  },
  insertOne: ({ collection }, one) => collection.insertOne(copy(one)),
  insertMany: ({ collection }, one, two) => collection.insertMany([copy(one), copy(two)]),
  'insert of the same': ({ collection }) => collection.insertOne({ _id: SECRET }),
  updateOne: ({ collection }, one, $set) => collection.updateOne(one, { $set }, { upsert: true }),
  updateMany: ({ collection }, one, filter) =>
    collection.updateMany(one, { $set: { 'a.$[b].c': one } }, { arrayFilters: [filter] }),
  replaceOne: ({ collection }, one, two) => collection.replaceOne(one, copy(two)),
  deleteOne: ({ collection }, one) => collection.deleteOne(one, { comment: SECRET }),
  deleteMany: ({ collection }, one) => collection.deleteMany({ ...one, never: SECRET }),
  findOneAndUpdate: ({ collection }, one, $set) => collection.findOneAndUpdate(one, { $set }),
  findOneAndReplace: ({ collection }, one, two) => collection.findOneAndReplace(one, copy(two)),
  findOneAndDelete: ({ collection }, one) => collection.findOneAndDelete(one),
  bulkWrite: ({ collection }, one, two) =>
    collection.bulkWrite([
      { insertOne: { document: copy(one) } },
      { updateOne: { filter: one, update: { $set: two } } },
      { deleteMany: { filter: two } },
    ]),
  'bulkWrite of the client': ({ client }, one) =>
    client.bulkWrite([{ namespace: 'test.things', name: 'insertOne', document: copy(one) }]),
  createIndex: ({ collection }, partialFilterExpression) =>
    collection.createIndex({ n: 1 }, { partialFilterExpression, name: SECRET }),
  createCollection: ({ db }, validator) => db.createCollection('things', { validator }),
  'any command': ({ db }, one) => db.command({ ping: 1, ...one }),
  'command whose value is a document': ({ db }, one) => db.command({ find: one, filter: one }),
  'command that is a document': ({ db }, one) => db.command({ [SECRET]: one }),
  createUser: ({ db }) => db.command({ createUser: SECRET, pwd: SECRET, roles: [] }),
  session: ({ client, collection }, one) =>
    client.withSession(async (session) => {
      session.startTransaction();
      const inserted = collection.insertOne(copy(one), { session });
      await inserted.finally(() => session.abortTransaction());
    }),
};

/** The driver writes an `_id` into what it inserts. */
const copy = (one: Document): Document => ({ ...one });

const RUNS = Number(process.env['MONGODB_RUNS'] ?? 5);

describe('what is exported of generated MongoDB documents', function () {
  this.timeout(120_000);
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let measure: Measure;

  beforeEach(() => {
    telemetry = registerTelemetry();
    measure = registerMeasurements();
    [instrumentation] = getInstrumentations({ all: { requireParent: false } }).filter(
      ({ instrumentationName }) => instrumentationName === 'clew/mongodb',
    ) as [Instrumentation];
    instrumentation.enable();
  });

  afterEach(() => instrumentation.disable());

  async function tryAll(url: string): Promise<void> {
    const { MongoClient } = require('mongodb') as typeof Mongodb;
    const client = new MongoClient(url, {
      // A server that does not like a document may end the connection, and has to be found again.
      minHeartbeatFrequencyMS: 10,
      retryReads: false,
      retryWrites: false,
    });
    await client.connect();
    const db = client.db('clew_secrets');
    const place: Place = { client, db, collection: db.collection<any>('things') };
    try {
      for (const [name, command] of Object.entries(COMMANDS)) {
        let recorded = 0;
        const tried = fc.asyncProperty(document, document, async (one, two) => {
          telemetry.reset();
          // Many are refused, and the message of the refusal quotes what is not liked.
          await Promise.resolve()
            .then(() => command(place, one, two))
            .catch(() => undefined);
          for (const span of telemetry.spans()) assertNoSecret(seenOf(span));
          recorded += telemetry.spans().length;
        });
        await fc.assert(tried, { numRuns: RUNS, seed: 5 });
        assert.ok(recorded > 0, `nothing was recorded of ${name}`);
      }
      assertNoSecret(JSON.stringify(await measure('db.client.operation.duration')));
    } finally {
      await client.close();
    }
  }

  it('has no value in any field, as a stand-in answers', async () => {
    const server = await startStandIn();
    await tryAll(server.url);
    await server.stop();
  });

  it('has no value in any field, as a server answers', async function () {
    await tryAll(await requireService(this, 'mongodb'));
  });
});

/** All of a span that is exported. */
function seenOf({
  name,
  attributes,
  status,
  events,
  links,
}: ReturnType<Telemetry['onlySpan']>): string {
  return JSON.stringify({ name, attributes, status, events, links });
}

function assertNoSecret(seen: string): void {
  for (const spelling of SPELLINGS) assert.ok(!seen.includes(spelling), seen.slice(0, 2000));
}
