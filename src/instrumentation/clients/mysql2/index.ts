import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from '../mysql-shared/attributes.ts';
import { patchCluster, patchPool, type Driver } from '../mysql-shared/pool-source.ts';
import { endpointOfConnection, patchConnection } from './connection-source.ts';
import type { Connection } from './library-types.ts';

const driver: Driver = {
  name: 'mysql2',
  endpointOf: (connection) => endpointOfConnection(connection as Connection),
};

const patch = patchClasses(
  [
    { has: ['addCommand'], patch: patchConnection },
    {
      has: ['releaseConnection'],
      patch: (Pool, recorder: Recorder) => patchPool(Pool, driver, recorder),
    },
    { has: ['of'], patch: (Cluster, recorder) => patchCluster(Cluster, driver, recorder) },
  ],
  ['Connection', 'Pool', 'PoolCluster'],
);

/** `mysql2`, with callbacks and with promises, its pools and its clusters. */
export const mysql2: ClientDefinition = {
  name: 'mysql2',
  responses: { describeError, countRows },
  modules: [
    { module: 'mysql2', versions: '>=2.3.0 <4', patch },
    { module: 'mysql2/lib/connection', versions: '>=2.3.0 <4', patch },
    { module: 'mysql2/lib/pool', versions: '>=2.3.0 <4', patch },
    { module: 'mysql2/lib/pool_cluster', versions: '>=2.3.0 <4', patch },
  ],
};
