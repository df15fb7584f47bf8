import type { ClientDefinition, ClientModule } from '../../client.ts';
import { patchListeners } from '../../listeners.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { claim, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchClient } from './client-source.ts';
import { patchConnection } from './command-source.ts';
import { describeError } from './describe.ts';
import { patchPool } from './pool-source.ts';

const VERSIONS = '>=5.0.0 <8';

/**
 * `mongodb`. `mongoose` needs no instrumentation of its own: it calls this driver, whose span has
 * the operation and the collection.
 */
export const mongodb: ClientDefinition = {
  name: 'mongodb',
  responses: { describeError },
  requireParent: true,
  modules: ['cmap/connection', 'cmap/connection_pool', 'mongo_client', 'change_stream'].map(
    (file): ClientModule => ({
      module: `mongodb/lib/${file}`,
      versions: VERSIONS,
      patch: patchFile,
    }),
  ),
};

function patchFile(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const { Connection, ConnectionPool, MongoClient, ChangeStream } = defaultOf(exports);
  const undos = [
    Connection?.prototype?.command && patchConnection(Connection, recorder),
    ConnectionPool?.prototype?.checkOut && patchPool(ConnectionPool, recorder),
    MongoClient?.prototype?.connect && patchClient(MongoClient, recorder),
    ChangeStream?.prototype?.on && patchEmitter(ChangeStream.prototype),
  ].filter((undo) => typeof undo === 'function');
  return undos.length > 0 ? undoAll(undos) : undefined;
}

function patchEmitter(prototype: object): Undo | undefined {
  const release = claim(prototype, 'mongodb emitter');
  return release && undoAll([release, patchListeners(prototype as never)]);
}
