import { describeForms } from '../../matrix/suite.ts';
import { pgliteForms } from './forms.ts';

describe('PGlite', function () {
  // Starting the database takes seconds.
  this.timeout(120_000);
  describeForms(pgliteForms);
});
