import { createRequire } from 'node:module';

import type Memcached from 'memcached';

import { describeForms } from '../../matrix/suite.ts';
import { formsOf } from './forms.ts';

const require = createRequire(import.meta.url);
const load = (): typeof Memcached => require('memcached-2.2') as typeof Memcached;

describe('memcached-2.2.0', () => {
  describeForms({ ...formsOf(load), instrument: (instrument) => instrument(load()) });
});
