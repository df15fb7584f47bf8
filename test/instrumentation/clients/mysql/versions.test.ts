import { createRequire } from 'node:module';
import timers from 'node:timers';

import { describeForms } from '../../matrix/suite.ts';
import { mysqlForms, useVersion } from './forms.ts';

// The newest version is what the other tests use.
const oldest = createRequire(import.meta.url)('mysql-2.13') as NonNullable<
  Parameters<typeof useVersion>[0]
>;

describe('mysql at its oldest supported version', () => {
  before(function () {
    // It counts on a function that Node 24 no longer has.
    if (!('unenroll' in timers)) this.skip();
    useVersion(oldest);
  });
  after(() => useVersion());
  describeForms(mysqlForms, ' 2.13.0', [oldest]);
});
