import { requireNative } from '../../../support/native-modules.ts';
import { describeForms } from '../../matrix/suite.ts';
import { formsOf, NEWEST, type Module } from './forms.ts';

describe('sqlite3', () => {
  let require: NodeJS.Require;

  before(function () {
    require = requireNative(this, NEWEST);
  });

  describeForms(formsOf(() => require('sqlite3') as Module));
});
