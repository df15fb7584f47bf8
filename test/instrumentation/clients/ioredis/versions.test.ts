import * as iovalkey from 'iovalkey';
import * as ioredis5 from 'ioredis-5';
import * as ioredis50 from 'ioredis-5.0';

import type { Redis } from 'ioredis';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';

/** The other supported lines; for what the forms use their types are the same. */
const OTHERS = { iovalkey, 'ioredis 5': ioredis5, 'ioredis 5.0': ioredis50 };

for (const [name, exports] of Object.entries(OTHERS)) {
  describe(name, () => {
    const suite = formsOf('ioredis', exports.default as unknown as typeof Redis);
    describeForms({
      ...suite,
      settings: suite.settings.map((setting) => ({
        ...setting,
        forms: setting.forms.filter((form) => !isBroken(name, setting.name, form.name)),
      })),
      instrument: (instrument) => instrument(exports),
    });
  });
}

/** `call` loses its first argument under auto-pipelining. */
function isBroken(version: string, setting: string, form: string): boolean {
  return version === 'ioredis 5.0' && setting === 'auto-pipelining' && form === 'call';
}
