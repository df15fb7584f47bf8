import { createRequire } from 'node:module';
import timers from 'node:timers';

import { skipSuite } from '../../../support/services.ts';
import { describeForms } from '../../matrix/suite.ts';
import { mysqlForms, useVersion } from './forms.ts';

// The newest version is what the other tests use.
const oldest = createRequire(import.meta.url)('mysql-2.13') as NonNullable<
  Parameters<typeof useVersion>[0]
>;

describe('mysql at its oldest supported version', () => {
  before(function () {
    if (!('unenroll' in timers)) {
      skipSuite(this, 'mysql 2.13: it counts on a function of timers that this Node no longer has');
    }
    useVersion(oldest);
  });
  after(() => useVersion());
  describeForms(mysqlForms, ' 2.13.0', [oldest]);
});
