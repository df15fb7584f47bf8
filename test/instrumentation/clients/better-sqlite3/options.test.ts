import { betterSqlite3 } from '../../../../src/instrumentation/clients/better-sqlite3/index.ts';
import { describeOptions } from '../../matrix/options.ts';
import { formsOf } from './forms.ts';
import { loadFrom, requireBetterSqlite3 } from './support.ts';

describe('better-sqlite3', () => {
  let require: NodeJS.Require;

  before(function () {
    require = requireBetterSqlite3(this);
  });

  describeOptions(
    formsOf(() => loadFrom(require)),
    { responses: betterSqlite3.responses },
  );
});
