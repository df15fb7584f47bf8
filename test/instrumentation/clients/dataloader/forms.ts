import { createRequire } from 'node:module';

import type DataLoader from 'dataloader';

import type { Form, FormSuite } from '../../matrix/form.ts';

type Loader = DataLoader<string, string>;

let keys = 0;
const unique = (): string => `key ${++keys}`;

/** A batch is nobody's alone, so its span is not one of these. */
const operations = 0;

const forms: Form<Loader>[] = [
  {
    name: 'load',
    operations,
    run: async (loader, note) => {
      await loader.load(unique());
      note('continuation');
    },
  },
  {
    name: 'load of the same key',
    operations,
    run: (loader, note) => loader.load('same').then(() => note('then')),
  },
  {
    name: 'loadMany',
    operations,
    run: async (loader, note) => {
      await loader.loadMany([unique(), unique(), 'same']);
      note('continuation');
    },
  },
  {
    name: 'loads one after the other',
    operations,
    run: async (loader, note) => {
      await loader.load(unique());
      note('first');
      await loader.load(unique());
      note('second');
    },
  },
  {
    name: 'prime and clear',
    operations,
    run: async (loader, note) => {
      const key = unique();
      loader.prime(key, 'value');
      await loader.load(key);
      note('primed');
      await loader.clear(key).load(key);
      note('cleared');
    },
  },
  {
    name: 'key that fails',
    operations,
    run: (loader, note) => loader.load('wrong').catch(() => note('catch')),
  },
  {
    name: 'batch that fails',
    operations,
    run: (loader, note) => loader.load('worst').catch(() => note('catch')),
  },
];

const require = createRequire(import.meta.url);

function open(options: DataLoader.Options<string, string>): Loader {
  const Loader = require('dataloader') as typeof DataLoader;
  return new Loader<string, string>(async (some) => {
    if (some.includes('worst')) throw new Error('no batch');
    await new Promise((resolve) => setImmediate(resolve));
    return some.map((key) => (key === 'wrong' ? new Error('no value') : `value of ${key}`));
  }, options);
}

export const dataloaderForms: FormSuite = {
  client: 'dataloader',
  settings: [
    {
      name: 'one loader',
      forms,
      open: async () => ({ target: open({}), close: async () => undefined }),
    },
    {
      name: 'batches of one',
      forms,
      open: async () => ({ target: open({ maxBatchSize: 1 }), close: async () => undefined }),
    },
    {
      name: 'batches on a timer',
      forms,
      open: async () => ({
        target: open({ batchScheduleFn: (load) => void setTimeout(load, 5) }),
        close: async () => undefined,
      }),
    },
  ],
};
