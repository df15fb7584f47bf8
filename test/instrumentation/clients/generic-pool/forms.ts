import { createRequire } from 'node:module';

import type GenericPool from 'generic-pool';

import type { Form, FormSuite, Note } from '../../matrix/form.ts';

interface Thing {
  n: number;
}
type Pool = GenericPool.Pool<Thing>;

/** Gives the others a chance to wait for the only resource. */
const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const operations = 0;

const forms: Form<Pool>[] = [
  {
    name: 'acquire and release',
    operations,
    run: async (pool, note) => {
      const thing = await pool.acquire();
      note('acquired');
      await yieldToOthers();
      note('used');
      await pool.release(thing);
      note('released');
    },
  },
  {
    name: 'acquire, then',
    operations,
    run: (pool, note) =>
      Promise.resolve(
        pool.acquire().then((thing) => {
          note('then');
          return pool.release(thing);
        }),
      ),
  },
  {
    name: 'use',
    operations,
    run: (pool, note) =>
      Promise.resolve(
        pool.use(async () => {
          note('inside');
          await yieldToOthers();
          note('inside, later');
        }),
      ).then(() => note('then')),
  },
  {
    name: 'acquire with a priority',
    operations,
    run: async (pool, note) => {
      const thing = await pool.acquire(1);
      note('acquired');
      await pool.release(thing);
    },
  },
  {
    name: 'destroy, so that the next one needs a new resource',
    operations,
    run: async (pool, note) => {
      const thing = await pool.acquire();
      note('acquired');
      await pool.destroy(thing);
      note('destroyed');
    },
  },
];

const failing: Form<Pool>[] = [
  {
    name: 'factory that fails, and a listener',
    operations,
    run: async (pool, note) => {
      const heard = onError(pool, note);
      await Promise.resolve(pool.acquire()).catch(() => note('catch'));
      await heard;
    },
  },
];

function onError(pool: Pool, note: Note): Promise<void> {
  return new Promise((resolve) => {
    pool.once('factoryCreateError', () => {
      note('listener');
      resolve();
    });
  });
}

const require = createRequire(import.meta.url);

function open(fails: boolean): Pool {
  const { createPool } = require('generic-pool') as typeof GenericPool;
  let made = 0;
  const create = async (): Promise<Thing> => {
    await yieldToOthers();
    if (fails) throw new Error('no resource');
    return { n: ++made };
  };
  return createPool<Thing>(
    { create, destroy: async () => undefined, validate: async () => true },
    { max: 1, testOnBorrow: true, ...(fails && { acquireTimeoutMillis: 50 }) },
  );
}

export const genericPoolForms: FormSuite = {
  client: 'generic-pool',
  settings: [
    {
      name: 'a pool of one',
      forms,
      open: async () => ({ target: open(false), close: async () => undefined }),
    },
    {
      name: 'a pool without a factory that works',
      forms: failing,
      open: async () => ({ target: open(true), close: async () => undefined }),
    },
  ],
};
