import { requireNative } from '../../../support/native-modules.ts';
import { describeForms } from '../../matrix/suite.ts';
import { requireBetterSqlite3 } from '../better-sqlite3/support.ts';
import { NEWEST as SQLITE3 } from '../sqlite3/forms.ts';
import { KNEX_OVER } from './forms.ts';

for (const [driver, suite] of Object.entries(KNEX_OVER)) {
  describe(`knex over ${driver}`, () => {
    before(function () {
      if (driver === 'better-sqlite3') requireBetterSqlite3(this);
      if (driver === 'sqlite3') requireNative(this, SQLITE3);
    });

    describeForms(suite);
  });
}
