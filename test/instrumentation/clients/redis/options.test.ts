import * as redis from 'redis';
import * as redis4 from 'redis-4';

import { describeOptions } from '../../matrix/options.ts';
import { clusterFormsOf, sentinelFormsOf, type ClusterPackage } from './cluster-forms.ts';
import { redis4Forms } from './forms-4.ts';
import { redisForms } from './forms.ts';

describeOptions(redisForms);

describe('redis, a cluster', () => {
  describeOptions({
    ...clusterFormsOf(redis),
    instrument: (instrument) => instrument(redis),
  });
});

describe('redis, a sentinel', () => {
  describeOptions({
    ...sentinelFormsOf(redis),
    instrument: (instrument) => instrument(redis),
  });
});

describe('redis 4', () => {
  describeOptions({ ...redis4Forms, instrument: (instrument) => instrument(redis4) });
});

describe('redis 4, a cluster', () => {
  describeOptions({
    ...clusterFormsOf(redis4 as unknown as ClusterPackage),
    instrument: (instrument) => instrument(redis4),
  });
});
