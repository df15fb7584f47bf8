import type { ClientDefinition, ClientModule } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { patchListeners } from '../../listeners.ts';
import { reservePatch, undoAll, type Undo } from '../../../base/patch.ts';
import { patchClient } from './client-source.ts';
import { patchConnection } from './command-source.ts';
import { describeError } from './attributes.ts';
import { patchPool } from './pool-source.ts';

const patch = patchClasses(
  [
    { has: ['checkOut'], patch: patchPool },
    { has: ['watch', 'connect'], patch: patchClient },
    { has: ['command'], patch: patchConnection },
    { has: ['on', 'tryNext'], patch: patchEmitter },
  ],
  ['Connection', 'ConnectionPool', 'MongoClient', 'ChangeStream'],
);

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
      patch,
    }),
  ),
};

function patchEmitter({ prototype }: { prototype: object }): Undo | undefined {
  const release = reservePatch(prototype, 'mongodb emitter');
  return release && undoAll([release, patchListeners(prototype as never)]);
}
