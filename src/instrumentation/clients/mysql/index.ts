import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from '../mysql-shared/attributes.ts';
import { patchCluster, patchPool, type Driver } from '../mysql-shared/pool-source.ts';
import { endpointOfConnection, patchConnection, patchProtocol } from './connection-source.ts';
import type { ConnectionClass, Factories } from './library-types.ts';

const driver: Driver = {
  name: 'mysql',
  endpointOf: endpointOfConnection,
};

const patchClass = patchClasses([
  { has: ['query', '_implyConnect'], patch: patchConnection },
  {
    has: ['releaseConnection'],
    patch: (Pool, recorder: Recorder) => patchPool(Pool, driver, recorder),
  },
  { has: ['of'], patch: (Cluster, recorder) => patchCluster(Cluster, driver, recorder) },
  {
    has: ['_validateEnqueue'],
    patch: ({ prototype }, recorder) => patchProtocol(prototype, recorder),
  },
]);

const VERSIONS = '>=2.13.0 <3';

/** `mysql`, its pools and its clusters. */
export const mysql: ClientDefinition = {
  name: 'mysql',
  responses: { describeError, countRows },
  modules: [
    { module: 'mysql', versions: VERSIONS, patch: patchFactories },
    // They are loaded on first use, so they are observed even if the package itself is imported.
    { module: 'mysql/lib/Connection', versions: VERSIONS, patch: patchClass },
    { module: 'mysql/lib/Pool', versions: VERSIONS, patch: patchClass },
    { module: 'mysql/lib/PoolCluster', versions: VERSIONS, patch: patchClass },
    { module: 'mysql/lib/protocol/Protocol', versions: VERSIONS, patch: patchClass },
  ],
};

/** The package exports no classes, but creates objects that are not connected yet. */
function patchFactories(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const factories = defaultOf(exports) as Partial<Factories>;
  if (!factories.createConnection || !factories.createPool || !factories.createPoolCluster) {
    return undefined;
  }
  const connection = factories.createConnection({});
  const pool = factories.createPool({});
  const cluster = factories.createPoolCluster({});
  const { constructor } = connection as unknown as { constructor: ConnectionClass };
  const protocol: object | undefined = connection._protocol;
  const undos = [
    patchClass(constructor, recorder),
    patchClass(protocol?.constructor, recorder),
    patchClass(pool.constructor, recorder),
    patchClass(cluster.constructor, recorder),
  ];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
