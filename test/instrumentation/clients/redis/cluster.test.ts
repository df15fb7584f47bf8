import * as redis from 'redis';
import * as redis4 from 'redis-4';
import * as redis40 from 'redis-4.0';
import * as redis5 from 'redis-5.0';

import { describeForms } from '../../matrix/suite.ts';
import {
  clusterFormsOf,
  fanOutForms,
  sentinelFormsOf,
  type ClusterPackage,
} from './cluster-forms.ts';

const VERSIONS = { 'redis 4.0': redis40, 'redis 4': redis4, 'redis 5.0': redis5, redis };

for (const [name, exports] of Object.entries(VERSIONS)) {
  const library = exports as unknown as ClusterPackage;
  const suites = [clusterFormsOf(library, name === 'redis' ? fanOutForms : [])];
  if (library.createSentinel) suites.push(sentinelFormsOf(library as Required<ClusterPackage>));
  for (const suite of suites) {
    describe(`${name}, ${suite.service}`, () => {
      describeForms({
        ...suite,
        // The first clusters did not subscribe.
        settings: suite.settings.map(({ forms, ...setting }) => ({
          ...setting,
          forms: forms.filter((form) => name !== 'redis 4.0' || form.name !== 'subscribe, message'),
        })),
        instrument: (instrument) => instrument(exports),
      });
    });
  }
}
