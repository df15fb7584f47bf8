import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { countRows } from '../mysql-shared/attributes.ts';
import { findClasses } from './classes.ts';
import { patchCluster, patchFilteredCluster } from './cluster-source.ts';
import { patchConnection } from './connection-source.ts';
import { describeError } from './attributes.ts';
import { patchPool, patchUserPool } from './pool-source.ts';
import { patchUserConnection } from './user-connection-source.ts';
import type { Factories } from './library-types.ts';

/** The promise package and the callback package, and their files. */
const MODULES = ['', '/promise', '/callback', '/dist/promise', '/dist/callback'];

/** `mariadb`, with promises and with callbacks, its pools and its clusters. */
export const mariadb: ClientDefinition = {
  name: 'mariadb',
  responses: { describeError, countRows },
  modules: MODULES.map((file) => ({
    module: `mariadb${file}`,
    versions: '>=3.3.0 <4',
    patch: patchFactories,
  })),
};

function patchFactories(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const factories = defaultOf(exports) as Partial<Factories>;
  if (!factories.createConnection || !factories.createPool || !factories.createPoolCluster) {
    return undefined;
  }
  const classes = runInRoot(() => findClasses(factories as Factories), undefined);
  if (!classes.connection || !classes.pool) return undefined;
  const undos = [
    patchConnection(classes.connection, recorder),
    patchPool(classes.pool, recorder),
    patchUserPool(classes.userPool, recorder),
    patchUserConnection(classes.userConnection, recorder),
    classes.cluster && patchCluster(classes.cluster),
    patchFilteredCluster(classes.filteredCluster, recorder),
  ];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
