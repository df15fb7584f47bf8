import * as redis4 from 'redis-4';
import * as redis40 from 'redis-4.0';
import * as redis5 from 'redis-5.0';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf, type Package } from './forms.ts';
import { formsOf4, type Package4 } from './forms-4.ts';

/** The first and the last of version 4. */
const VERSIONS_4 = { 'redis 4.0': redis40, 'redis 4': redis4 };

for (const [name, exports] of Object.entries(VERSIONS_4)) {
  describe(name, () => {
    const suite = formsOf4(exports as unknown as Package4);
    const forms = {
      ...suite,
      // The first of the line takes no modules of the application's.
      settings: suite.settings.map(({ forms, ...setting }) => ({
        ...setting,
        forms: forms.filter((form) => name === 'redis 4' || form.name !== 'command of a module'),
      })),
      instrument: (instrument: (exports: unknown) => void) => instrument(exports),
    };
    describeForms(forms, name === 'redis 4.0' ? ' 4.0' : '');
  });
}

describe('redis 5.0', () => {
  const suite = formsOf(redis5 as unknown as Package);
  describeForms({
    ...suite,
    // The package did not make pools yet.
    settings: suite.settings.filter(({ name }) => !name.startsWith('a pool')),
    instrument: (instrument) => instrument(redis5),
  });
});
