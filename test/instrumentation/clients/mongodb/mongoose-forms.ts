import { createRequire } from 'node:module';

import type Mongoose from 'mongoose';
import type { Connection, Model } from 'mongoose';

import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import { NO_TEXT } from './server-forms.ts';
import { startStandIn } from './stand-in.ts';

/*
 * mongoose has no instrumentation of its own: it calls the driver, whose spans have the name and the
 * collection. What could be lost on the way are its own queue, hooks and cursors.
 */
interface Thing {
  text: string;
  other?: unknown;
}

interface Target {
  connection: Connection;
  Things: Model<Thing>;
}

const DATABASE = 'clew_mongoose';
const SECRET = { text: 'secret-value' };

const simple = (
  name: string,
  call: (target: Target) => PromiseLike<unknown>,
  operations = 1,
): Form<Target> => ({
  name: `mongoose, ${name}`,
  operations,
  run: async (target, note) => {
    await call(target);
    note('continuation');
  },
});

const forms: Form<Target>[] = [
  // Other forms add things, which would be fetched in several pieces.
  simple('find', ({ Things }) => Things.find(SECRET).limit(3)),
  simple('findOne, exec', ({ Things }) => Things.findOne(SECRET).lean().exec()),
  simple('findById', ({ Things }) => Things.findById('64b000000000000000000001')),
  simple('countDocuments', ({ Things }) => Things.countDocuments(SECRET)),
  simple('distinct', ({ Things }) => Things.distinct('text')),
  simple('aggregate', ({ Things }) => Things.aggregate([{ $match: SECRET }])),
  simple('create', ({ Things }) => Things.create(SECRET)),
  simple('save', ({ Things }) => new Things(SECRET).save()),
  simple(
    'save of a document that changed',
    async ({ Things }) => {
      const thing = await Things.create(SECRET);
      thing.text = 'another secret-value';
      await thing.save();
    },
    2,
  ),
  simple('insertMany', ({ Things }) => Things.insertMany([SECRET, SECRET])),
  simple('updateOne', ({ Things }) => Things.updateOne(SECRET, SECRET)),
  simple('findOneAndUpdate', ({ Things }) => Things.findOneAndUpdate(SECRET, SECRET)),
  simple('deleteMany', ({ Things }) => Things.deleteMany({ text: 'nothing has it' })),
  simple('bulkWrite', ({ Things }) => Things.bulkWrite([{ insertOne: { document: SECRET } }])),
  {
    name: 'mongoose, then',
    run: ({ Things }, note) => Things.findOne(SECRET).then(() => note('then')),
  },
  {
    name: 'mongoose, populate',
    operations: 2,
    run: async ({ Things }, note) => {
      await Things.findOne({ other: { $exists: true } }).populate('other');
      note('continuation');
    },
  },
  {
    name: 'mongoose, cursor',
    operations: 2,
    run: async ({ Things }, note) => {
      for await (const thing of Things.find({ kept: true }).cursor({ batchSize: 3 })) {
        note(`row ${typeof thing}`);
      }
      note('after the loop');
    },
  },
  {
    name: 'mongoose, eachAsync',
    operations: 2,
    run: async ({ Things }, note) => {
      const things = Things.find({ kept: true }).cursor({ batchSize: 3 });
      await things.eachAsync(() => note('row'));
      note('continuation');
    },
  },
  {
    name: 'mongoose, cursor as a stream',
    operations: 2,
    run: async ({ Things }, note) => {
      const things = Things.find({ kept: true }).cursor({ batchSize: 3 });
      things.on('data', () => note('data'));
      await called((done) =>
        things.on('end', () => {
          note('end');
          done();
        }),
      );
    },
  },
  {
    name: 'mongoose, hooks',
    run: async ({ Things }, note) => {
      hooks.set(String(++calls), note);
      await new Things({ text: String(calls) }).save();
      note('continuation');
    },
  },
  {
    name: 'mongoose, session',
    run: async ({ connection, Things }, note) => {
      const session = await connection.startSession();
      await Things.findOne(SECRET).session(session);
      note('found');
      await session.endSession();
      note('continuation');
    },
  },
];

const transaction: Form<Target> = {
  name: 'mongoose, transaction',
  operations: 2,
  run: async ({ connection, Things }, note) => {
    await connection.transaction(async (session) => {
      note('inside');
      await new Things(SECRET).save({ session });
      note('saved');
    });
    note('committed');
  },
};

/** Who is told by the hooks, which a schema has once for all callers. */
const hooks = new Map<string, (place: string) => void>();
let calls = 0;

const require = createRequire(import.meta.url);

function open(url: string): Target {
  const mongoose = require('mongoose') as typeof Mongoose;
  const connection = mongoose.createConnection(url, { dbName: DATABASE, maxPoolSize: 1 });
  const schema = new mongoose.Schema<Thing>(
    { text: String, other: { type: mongoose.Schema.Types.ObjectId, ref: 'Thing' } },
    { autoIndex: false, autoCreate: false, strict: false },
  );
  schema.pre('save', function () {
    hooks.get(this.text)?.('before saving');
  });
  schema.post('save', (thing) => hooks.get(thing.text)?.('after saving'));
  return { connection, Things: connection.model<Thing>('Thing', schema as never, 'things') };
}

const prepared = new Set<string>();

async function prepare(url: string, { Things }: Target): Promise<void> {
  if (prepared.has(url)) return;
  prepared.add(url);
  await Things.deleteMany({});
  const { _id } = await Things.create(SECRET);
  await Things.insertMany([1, 2, 3, 4, 5].map(() => ({ ...SECRET, kept: true, other: _id })));
}

/** A setting whose connection is open, or one whose first queries mongoose has to queue. */
function atServer(name: string, isOpen: boolean, some: Form<Target>[]): Setting<Target> {
  return {
    name,
    forms: some,
    open: async (url) => {
      const target = open(url);
      if (isOpen) {
        await target.connection.asPromise();
        await prepare(url, target);
      }
      return { target, close: () => target.connection.close() };
    },
  };
}

export const mongooseServerForms: FormSuite = {
  client: 'mongodb',
  textless: NO_TEXT,
  service: 'mongodb',
  settings: [
    atServer('a pool of one', true, forms),
    atServer('a connection that is not open yet', false, forms.slice(0, 2)),
  ],
};

export const mongooseStandInForms: FormSuite = {
  client: 'mongodb',
  textless: NO_TEXT,
  settings: [
    {
      name: 'a pool of one (stand-in)',
      forms: [transaction],
      open: async () => {
        const server = await startStandIn();
        const target = open(server.url);
        await target.connection.asPromise();
        const close = async (): Promise<void> => {
          await target.connection.close();
          await server.stop();
        };
        return { target, close };
      },
    },
  ],
};

/** All of them, for the table. */
export const mongooseForms: FormSuite = {
  ...mongooseServerForms,
  settings: [...mongooseServerForms.settings, ...mongooseStandInForms.settings],
};
