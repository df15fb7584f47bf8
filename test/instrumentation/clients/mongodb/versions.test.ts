import { createRequire } from 'node:module';

import type * as Mongodb from 'mongodb';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';

const require = createRequire(import.meta.url);
const FILES = ['cmap/connection', 'cmap/connection_pool', 'mongo_client', 'change_stream'];

for (const name of ['mongodb-5.0', 'mongodb-6']) {
  describe(name, () => {
    describeForms({
      ...formsOf(() => require(name) as typeof Mongodb),
      instrument: (instrument) => {
        for (const file of FILES) instrument(require(`${name}/lib/${file}`));
      },
    });
  });
}
