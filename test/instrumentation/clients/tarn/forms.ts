import { createRequire } from 'node:module';

import type * as Tarn from 'tarn';

import type { Form, FormSuite } from '../../matrix/form.ts';

interface Thing {
  n: number;
}
type Pool = Tarn.Pool<Thing>;

/** Gives the others a chance to wait for the only resource. */
const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const operations = 0;

const forms: Form<Pool>[] = [
  {
    name: 'acquire and release',
    operations,
    run: async (pool, note) => {
      const thing = await pool.acquire().promise;
      note('acquired');
      await yieldToOthers();
      note('used');
      pool.release(thing);
    },
  },
  {
    name: 'acquire, then',
    operations,
    run: (pool, note) =>
      pool.acquire().promise.then((thing) => {
        note('then');
        pool.release(thing);
      }),
  },
  {
    name: 'acquire that is given up',
    operations,
    run: async (pool, note) => {
      const pending = pool.acquire();
      pending.abort();
      await pending.promise.catch(() => note('catch'));
    },
  },
  {
    name: 'listeners',
    operations,
    run: async (pool, note) => {
      const listener = (): void => note('listener');
      pool.on('acquireSuccess', listener);
      pool.on('release', listener);
      const thing = await pool.acquire().promise;
      note('acquired');
      pool.release(thing);
      pool.removeListener('acquireSuccess', listener);
      pool.removeListener('release', listener);
    },
  },
];

const failing: Form<Pool>[] = [
  {
    name: 'factory that fails',
    operations,
    run: (pool, note) => pool.acquire().promise.catch(() => note('catch')),
  },
];

const require = createRequire(import.meta.url);

function open(fails: boolean): Pool {
  const { Pool } = require('tarn') as typeof Tarn;
  let made = 0;
  return new Pool<Thing>({
    create: async () => {
      await yieldToOthers();
      if (fails) throw new Error('no resource');
      return { n: ++made };
    },
    destroy: () => undefined,
    validate: () => true,
    min: 0,
    max: 1,
    ...(fails && { acquireTimeoutMillis: 50, createRetryIntervalMillis: 5 }),
  });
}

export const tarnForms: FormSuite = {
  client: 'tarn',
  settings: [
    { name: 'a pool of one', forms, open: openPool(false) },
    { name: 'a pool without a factory that works', forms: failing, open: openPool(true) },
  ],
};

function openPool(fails: boolean): () => Promise<{ target: Pool; close(): Promise<unknown> }> {
  return async () => {
    const target = open(fails);
    return { target, close: () => target.destroy() };
  };
}
