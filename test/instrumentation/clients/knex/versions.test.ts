import { createRequire } from 'node:module';

import { describeForms } from '../../matrix/suite.ts';
import { KNEX_OVER, useVersion } from './forms.ts';

// The newest version is what the other tests use.
const oldest = createRequire(import.meta.url)('knex-3.0') as NonNullable<
  Parameters<typeof useVersion>[0]
> & { Client: object };

describe('knex at its oldest supported version', () => {
  before(() => useVersion(oldest));
  after(() => useVersion());
  for (const driver of ['pg', 'mysql2']) {
    describeForms(KNEX_OVER[driver]!, ` 3.0.1 over ${driver}`, [oldest]);
  }
});
