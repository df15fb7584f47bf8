import { requireNative } from '../../../support/native-modules.ts';
import { describeForms } from '../../matrix/suite.ts';
import { formsOf, type Module } from './forms.ts';

describe('sqlite3 5.1.7', () => {
  let require: NodeJS.Require;

  before(function () {
    require = requireNative(this, { name: 'sqlite3', version: '5.1.7', isNapi: true });
  });

  describeForms(formsOf(() => require('sqlite3') as Module));
});
