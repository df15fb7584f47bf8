import { createRequire } from 'node:module';

import type memoizer from 'lru-memoizer';

import type { Form, FormSuite, Note } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

type Load = (key: string, callback: (...args: unknown[]) => void) => void;

let keys = 0;
const unique = (): string => `key ${++keys}`;

const form = (name: string, keyOf: () => string): Form<Load> => ({
  name,
  operations: 0,
  run: (load, note) => called((done) => load(keyOf(), noted(note, done))),
});

const noted =
  (note: Note, done: (...args: unknown[]) => void) =>
  (...args: unknown[]): void => {
    note('callback');
    done(...args);
  };

const forms: Form<Load>[] = [
  form('a key each', unique),
  form('the same key', () => 'same'),
  form('a key that fails', () => 'wrong'),
  {
    name: 'a key that is there',
    operations: 0,
    run: async (load, note) => {
      await called((done) => load('kept', noted(note, done)));
      await called((done) => load('kept', noted(note, done)));
    },
  },
];

const require = createRequire(import.meta.url);

export const lruMemoizerForms: FormSuite = {
  client: 'lru-memoizer',
  settings: [
    {
      name: 'one memoizer',
      forms,
      open: async () => ({
        target: (require('lru-memoizer') as typeof memoizer)({
          max: 10,
          hash: (key: string) => key,
          load: (key: string, callback: (error: Error | null, value?: string) => void) => {
            setImmediate(() => callback(key === 'wrong' ? new Error('no value') : null, key));
          },
        }) as Load,
        close: async () => undefined,
      }),
    },
  ],
};
