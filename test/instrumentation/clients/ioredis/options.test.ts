import * as ioredis5 from 'ioredis-5';

import { describeOptions } from '../../matrix/options.ts';
import {
  clusterFormsOf,
  ioredisClusterForms,
  ioredisSentinelForms,
  type Package,
} from './cluster-forms.ts';
import { ioredisForms } from './forms.ts';

describeOptions(ioredisForms);

describe('ioredis, a cluster', () => {
  describeOptions(ioredisClusterForms);
});

describe('ioredis, a sentinel', () => {
  describeOptions(ioredisSentinelForms);
});

describe('ioredis 5, a cluster', () => {
  const { default: Redis, Cluster } = ioredis5;
  describeOptions({
    ...clusterFormsOf('ioredis', { Redis, Cluster } as unknown as Package),
    instrument: (instrument) => instrument(ioredis5),
  });
});
