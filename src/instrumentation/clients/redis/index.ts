import type { ClientDefinition, ClientModule } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { ownerOf, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError } from '../../redis/describe.ts';
import { patchClient } from './client-source.ts';
import { patchPool } from './pool-source.ts';
import { patchRouter } from './router-source.ts';
import type { ClassOf } from './shapes.ts';

const VERSIONS = '>=5.0.0 <7';
const FILES = [
  'client',
  'client/index',
  'client/pool',
  'cluster',
  'cluster/index',
  'sentinel',
  'sentinel/index',
];

/** `redis`, which is node-redis: clients, pools, clusters, sentinels. */
export const redis: ClientDefinition = {
  name: 'redis',
  responses: { describeError },
  modules: [
    { module: 'redis', versions: VERSIONS, patch: patchPackage },
    ...['@redis/client', ...FILES.map((file) => `@redis/client/dist/lib/${file}`)].map(
      (module): ClientModule => ({ module, versions: VERSIONS, patch: patchPackage }),
    ),
  ],
};

/** Patches the classes in `exports`: those of a file, or those that a package makes its clients of. */
function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  const undos = [found, exports?.default, ...Object.values(exports ?? {}), ...madeBy(found)]
    .map((candidate) => patchClass(candidate, recorder))
    .filter((undo) => undo !== undefined);
  return undos.length > 0 ? undoAll(undos) : undefined;
}

function patchClass(candidate: ModuleExports, recorder: Recorder): Undo | undefined {
  const prototype = typeof candidate === 'function' ? candidate.prototype : undefined;
  if (!prototype) return undefined;
  if (Object.hasOwn(prototype, '_executeCommand')) return patchClient(candidate, recorder);
  if (Object.hasOwn(prototype, 'execute') && 'tasksQueueLength' in prototype) {
    return patchPool(candidate, recorder);
  }
  return Object.hasOwn(prototype, '_execute') ? patchRouter(candidate, recorder) : undefined;
}

/** The class of the clients that a package makes, where it exports only what makes them. */
function* madeBy(exports: ModuleExports): Generator<ClassOf<never>> {
  if (typeof exports?.createClient !== 'function' || exports.RedisClient) return;
  const client: object = exports.createClient({ socket: {} });
  const prototype = ownerOf(client, '_executeCommand');
  if (prototype) yield prototype.constructor as unknown as ClassOf<never>;
}
