import { createRequire } from 'node:module';

import type * as Mongodb from 'mongodb';

import type { FormSuite } from '../../matrix/form.ts';
import { describeForms } from '../../matrix/suite.ts';
import { formsOf, standInFormsOf } from './forms.ts';

const require = createRequire(import.meta.url);
const FILES = ['cmap/connection', 'cmap/connection_pool', 'mongo_client', 'change_stream'];

/**
 * What the older versions have not; 5.0 throws past everybody when it closes a used cursor, and its
 * events of commands have no context without us either.
 */
const LATER: Record<string, string[]> = {
  'mongodb-5.0': [
    'runCursorCommand',
    'bulkWrite of the client',
    'cursor that is lost on the way',
    'change stream, for await',
    'change stream, listener',
    'events of its own command',
  ],
  'mongodb-6': [],
};

for (const [name, without] of Object.entries(LATER)) {
  const load = (): typeof Mongodb => require(name) as typeof Mongodb;
  const instrument: FormSuite['instrument'] = (by) => {
    for (const file of FILES) by(require(`${name}/lib/${file}`));
  };
  describe(name, () => {
    describeForms({ ...formsOf(load, without), instrument });
    describeForms({ ...standInFormsOf(load, without), instrument }, ', stand-in');
  });
}
