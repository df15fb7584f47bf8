import * as ioredis from 'ioredis';
import * as ioredis5 from 'ioredis-5';
import * as ioredis50 from 'ioredis-5.0';
import * as iovalkey from 'iovalkey';

import { workingSettings } from './forms.ts';
import { describeForms } from '../../matrix/suite.ts';
import { clusterFormsOf, sentinelFormsOf, type Package } from './cluster-forms.ts';

const VERSIONS = { ioredis, 'ioredis 5': ioredis5, 'ioredis 5.0': ioredis50, iovalkey };

for (const [name, exports] of Object.entries(VERSIONS)) {
  const library = { Redis: exports.default, Cluster: exports.Cluster } as unknown as Package;
  for (const suite of [clusterFormsOf('ioredis', library), sentinelFormsOf('ioredis', library)]) {
    describe(`${name}, ${suite.service}`, () => {
      describeForms({
        ...suite,
        settings: workingSettings(name, suite.settings),
        instrument: (instrument) => instrument(exports),
      });
    });
  }
}
