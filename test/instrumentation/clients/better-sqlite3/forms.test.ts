import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';
import { loadFrom, requireBetterSqlite3 } from './support.ts';

describe('better-sqlite3', () => {
  let require: NodeJS.Require;

  before(function () {
    require = requireBetterSqlite3(this);
  });

  describeForms(formsOf(() => loadFrom(require)));
});
