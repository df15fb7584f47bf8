import * as redis5 from 'redis-5.0';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf, type Package } from './forms.ts';

describe('redis 5.0', () => {
  const suite = formsOf(redis5 as unknown as Package);
  describeForms({
    ...suite,
    // The package did not make pools yet.
    settings: suite.settings.filter(({ name }) => !name.startsWith('a pool')),
    instrument: (instrument) => instrument(redis5),
  });
});
