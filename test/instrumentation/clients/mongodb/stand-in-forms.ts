import { randomUUID } from 'node:crypto';

import type { ChangeStream, CommandStartedEvent, CommandSucceededEvent } from 'mongodb';

import type { Form, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';
import type { Target } from './server-forms.ts';

const SECRET = { text: 'secret-value' };

/** A stream of the collection whose changes never end: two of them come at once. */
const changes = (
  name: string,
  operations: number,
  watch: (stream: ChangeStream, note: Note) => Promise<unknown>,
): Form<Target> => ({
  name: `change stream, ${name}`,
  operations,
  run: async ({ scratch }, note) => {
    const stream = scratch.watch();
    await watch(stream, note);
    await stream.close();
    note('continuation');
  },
});

/** What FerretDB has not, and how servers fail. */
export const standInForms: Form<Target>[] = [
  {
    name: 'withTransaction',
    operations: 3,
    run: async ({ client, scratch }, note) => {
      const session = client.startSession();
      await session.withTransaction(async () => {
        await scratch.insertOne({ ...SECRET }, { session });
        note('inserted');
        await scratch.updateOne({ _id: 1 as never }, { $set: { n: 1 } }, { session });
        note('updated');
      });
      note('committed');
      await session.endSession();
    },
  },
  {
    name: 'transaction by hand, aborted',
    operations: 2,
    run: async ({ client, scratch }, note) => {
      const session = client.startSession();
      session.startTransaction();
      await scratch.insertOne({ ...SECRET }, { session });
      note('inserted');
      await session.abortTransaction();
      note('aborted');
      await session.endSession();
    },
  },
  {
    name: 'transaction whose function fails',
    operations: 2,
    run: async ({ client, scratch }, note) => {
      await client
        .withSession((session) =>
          session.withTransaction(async () => {
            await scratch.insertOne({ ...SECRET }, { session });
            throw new RangeError('secret-value');
          }),
        )
        .catch(() => note('catch'));
    },
  },
  changes('next', 2, async (stream, note) => {
    await stream.next();
    note('change');
  }),
  changes('next, beyond the first batch', 3, async (stream, note) => {
    for (let count = 0; count < 3; count++) {
      await stream.next();
      note('change');
    }
  }),
  changes('tryNext', 2, async (stream, note) => {
    await stream.tryNext();
    note('change');
  }),
  changes('for await', 2, async (stream, note) => {
    for await (const change of stream) {
      note(`change ${typeof change}`);
      break;
    }
  }),
  {
    name: 'command that is refused',
    run: ({ db }, note) =>
      db
        .collection('refused')
        .findOne({})
        .catch(() => note('catch')),
  },
  {
    name: 'cursor that is lost on the way',
    operations: 3,
    run: async ({ db }, note) => {
      const rows = db.collection('lost').find({}, { batchSize: 3 });
      await rows.toArray().catch(() => note('catch'));
    },
  },
  {
    name: 'write error',
    run: ({ db }, note) =>
      db
        .collection('duplicate')
        .insertOne({ ...SECRET })
        .catch(() => note('catch')),
  },
  {
    name: 'write that is not acknowledged by enough servers',
    run: ({ db }, note) =>
      db
        .collection('unconcerned')
        .insertOne({ ...SECRET })
        .catch(() => note('catch')),
  },
];

/** Listeners that go on hearing of changes: how often the driver asks is up to it. */
export const listeningForms: Form<Target>[] = [
  {
    name: 'change stream, listener',
    operations: 3,
    run: async ({ scratch }, note) => {
      const stream = scratch.watch();
      await called((done) => {
        let count = 0;
        stream.on('change', () => {
          note('change');
          if (++count === 2) done();
        });
      });
      await stream.close();
      note('continuation');
    },
  },
];

/** What newer drivers have and a real server of the tests has not. */
export const clientBulkForm: Form<Target> = {
  name: 'bulkWrite of the client',
  run: async ({ client }, note) => {
    await client.bulkWrite([
      { namespace: 'test.scratch', name: 'insertOne', document: { ...SECRET } },
      { namespace: 'test.scratch', name: 'deleteOne', filter: SECRET },
    ]);
    note('continuation');
  },
};

/** The client's own events, which belong to whoever listens. */
export const eventForms: Form<Target>[] = [
  {
    name: 'events of its own command',
    run: async ({ client, numbers }, note) => {
      // Each caller's listeners hear the commands of all; only its own concern it.
      const comment = randomUUID();
      let own: number | undefined;
      const started = ({ command, requestId }: CommandStartedEvent): void => {
        if (command['comment'] !== comment) return;
        own = requestId;
        note('event');
      };
      const succeeded = ({ requestId }: CommandSucceededEvent): void => {
        if (requestId === own) note('event');
      };
      client.on('commandStarted', started).on('commandSucceeded', succeeded);
      await numbers.findOne(SECRET, { comment });
      note('continuation');
      client.off('commandStarted', started).off('commandSucceeded', succeeded);
    },
  },
];
