import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';

for (const alias of ['pglite-0.3', 'pglite-newest']) {
  describe(`PGlite as ${alias}`, function () {
    // Starting the database takes seconds.
    this.timeout(120_000);
    describeForms(formsOf(alias));
  });
}
