import { createRequire } from 'node:module';

import type { MongoClientOptions } from 'mongodb';
import type * as Mongodb from 'mongodb';

import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { NO_TEXT, serverForms, type Numbered, type Target } from './server-forms.ts';
import { startStandIn } from './stand-in.ts';
import { clientBulkForm, eventForms, listeningForms, standInForms } from './stand-in-forms.ts';

const DATABASE = 'clew_forms';

/** The servers that hold what the forms read. */
const prepared = new Map<string, Promise<void>>();

async function openAt(
  driver: typeof Mongodb,
  url: string,
  options: MongoClientOptions = {},
): Promise<Target> {
  const client = new driver.MongoClient(url, { maxPoolSize: 1, ...options });
  const db = client.db(DATABASE);
  const numbers = db.collection<Numbered>('numbers');
  return { driver, client, db, numbers, scratch: db.collection('scratch') };
}

/** Five numbers, a file, and collections that are there. */
async function prepare({ driver, db, numbers, scratch }: Target): Promise<void> {
  await db.dropDatabase();
  await scratch.insertOne({ text: 'kept' });
  await numbers.insertMany([1, 2, 3, 4, 5].map((_id) => ({ _id, text: 'secret-value' })));
  const upload = new driver.GridFSBucket(db).openUploadStream('kept');
  await new Promise((resolve) => upload.once('finish', resolve).end(Buffer.alloc(100)));
}

/** A setting at a real server. */
function atServer(
  load: () => typeof Mongodb,
  name: string,
  forms: Form<Target>[],
  connects = true,
): Setting<Target> {
  return {
    name,
    forms,
    open: async (url) => {
      const target = await openAt(load(), url);
      if (!prepared.has(url)) {
        const first = await openAt(load(), url);
        prepared.set(
          url,
          prepare(first).finally(() => first.client.close()),
        );
      }
      await prepared.get(url);
      if (connects) await target.client.connect();
      return { target, close: () => target.client.close() };
    },
  };
}

/** A setting at a stand-in of its own. */
function atStandIn(
  load: () => typeof Mongodb,
  name: string,
  forms: Form<Target>[],
  options: MongoClientOptions = {},
): Setting<Target> {
  return {
    name: `${name} (stand-in)`,
    forms,
    open: async () => {
      const server = await startStandIn();
      const target = await openAt(load(), server.url, options);
      await target.client.connect();
      const close = async (): Promise<void> => {
        await target.client.close();
        await server.stop();
      };
      return { target, close };
    },
  };
}

/** The forms at a real server with the version that `load` finds, but for those it has not. */
export function formsOf(load: () => typeof Mongodb, without: readonly string[] = []): FormSuite {
  const [first] = serverForms;
  return {
    client: 'mongodb',
    textless: NO_TEXT,
    service: 'mongodb',
    settings: [
      atServer(
        load,
        'a pool of one',
        serverForms.filter(({ name }) => !without.includes(name)),
      ),
      atServer(load, 'a client that is not connected yet', first ? [first] : [], false),
    ],
  };
}

/** The forms that only a stand-in answers. */
export function standInFormsOf(
  load: () => typeof Mongodb,
  without: readonly string[] = [],
): FormSuite {
  const kept = (forms: Form<Target>[]): Form<Target>[] =>
    forms.filter(({ name }) => !without.includes(name));
  return {
    client: 'mongodb',
    textless: NO_TEXT,
    settings: [
      atStandIn(load, 'a pool of one', kept([...standInForms, clientBulkForm])),
      atStandIn(load, 'a pool of six', kept(listeningForms), { maxPoolSize: 6 }),
      atStandIn(load, 'a client with monitors', kept(eventForms), { monitorCommands: true }),
    ],
  };
}

const require = createRequire(import.meta.url);
const newest = (): typeof Mongodb => require('mongodb') as typeof Mongodb;

export const mongodbServerForms: FormSuite = formsOf(newest);
export const mongodbStandInForms: FormSuite = standInFormsOf(newest);

/** All of them, for the table. */
export const mongodbForms: FormSuite = {
  ...mongodbServerForms,
  settings: [...mongodbServerForms.settings, ...mongodbStandInForms.settings],
};
