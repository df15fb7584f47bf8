import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from '../mysql-family/describe.ts';
import { patchCluster, patchPool, type Driver } from '../mysql-family/pool-source.ts';
import { endpointOfConnection, patchConnection } from './connection-source.ts';
import type { Connection } from './shapes.ts';

const driver: Driver = {
  name: 'mysql2',
  endpointOf: (connection) => endpointOfConnection(connection as Connection),
};

/** `mysql2`, with callbacks and with promises, its pools and its clusters. */
export const mysql2: ClientDefinition = {
  name: 'mysql2',
  responses: { describeError, countRows },
  modules: [
    { module: 'mysql2', versions: '>=2.3.0 <4', patch: patchPackage },
    { module: 'mysql2/lib/connection', versions: '>=2.3.0 <4', patch: patchPackage },
    { module: 'mysql2/lib/pool', versions: '>=2.3.0 <4', patch: patchPackage },
    { module: 'mysql2/lib/pool_cluster', versions: '>=2.3.0 <4', patch: patchPackage },
  ],
};

/** Patches the classes in `exports`, which is mysql2 itself or a module that is one of them. */
function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  const undos = [found, found.Connection, found.Pool, found.PoolCluster].map((candidate) => {
    const prototype = candidate?.prototype;
    if (typeof prototype?.addCommand === 'function') return patchConnection(candidate, recorder);
    if (typeof prototype?.releaseConnection === 'function')
      return patchPool(candidate, driver, recorder);
    if (typeof prototype?.of === 'function') return patchCluster(candidate, driver, recorder);
    return undefined;
  });
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
