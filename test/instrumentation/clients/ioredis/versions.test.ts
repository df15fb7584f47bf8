import * as iovalkey from 'iovalkey';
import * as ioredis5 from 'ioredis-5';
import * as ioredis50 from 'ioredis-5.0';

import type { Redis } from 'ioredis';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf, workingSettings } from './forms.ts';

/** The other supported lines; for what the forms use their types are the same. */
const OTHERS = { iovalkey, 'ioredis 5': ioredis5, 'ioredis 5.0': ioredis50 };

for (const [name, exports] of Object.entries(OTHERS)) {
  describe(name, () => {
    const suite = formsOf('ioredis', exports.default as unknown as typeof Redis);
    describeForms({
      ...suite,
      settings: workingSettings(name, suite.settings),
      instrument: (instrument) => instrument(exports),
    });
  });
}
