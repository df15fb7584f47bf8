import type { ClientDefinition, ClientModule } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError, noteReplyErrors } from '../../redis/attributes.ts';
import { receivedIn } from '../../redis/stream-entries.ts';
import { patchClient4 } from './client-4-source.ts';
import { patchClient } from './client-source.ts';
import { patchPool } from './pool-source.ts';
import { patchBullmq } from './queue-clients.ts';
import { patchRouter } from './router-source.ts';

/**
 * Packages that create clients, with their supported versions, and the files that define the
 * classes.
 */
const PACKAGES = {
  '@redis/client': '>=1.0.0 <2 || >=5.0.0 <7',
  '@node-redis/client': '>=1.0.0 <2',
};
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
  responses: { describeError, messagesIn: receivedIn },
  modules: [
    { module: 'redis', versions: '>=4.0.0 <7', patch: patchPackage },
    {
      module: 'bullmq/dist/cjs/classes/node-redis-client',
      versions: '>=5.0.0 <7',
      patch: patchBullmq,
    },
    ...Object.entries(PACKAGES).flatMap(([name, versions]) =>
      [name, ...FILES.map((file) => `${name}/dist/lib/${file}`)].map((module): ClientModule => ({
        module,
        versions,
        patch: patchPackage,
      })),
    ),
  ],
};

/**
 * Patches the classes in `exports`: those of a file, or those of the clients that a package
 * creates.
 */
function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  noteReplyErrors(found);
  const undos = [
    ...[found, exports?.default, ...Object.values(exports ?? {})].map((candidate) =>
      patchClass(candidate, recorder),
    ),
    ...samplesOf(found).flatMap((sample) =>
      classesOf(sample).map((candidate) => patchClass(candidate, recorder, sample)),
    ),
  ].filter((undo) => undo !== undefined);
  return undos.length > 0 ? undoAll(undos) : undefined;
}

function patchClass(
  candidate: ModuleExports,
  recorder: Recorder,
  sample?: ModuleExports,
): Undo | undefined {
  const prototype = typeof candidate === 'function' ? candidate.prototype : undefined;
  if (!prototype) return undefined;
  if (Object.hasOwn(prototype, '_executeCommand')) return patchClient(candidate, recorder);
  if (Object.hasOwn(prototype, 'multiExecutor')) return patchClient4(candidate, recorder);
  if (Object.hasOwn(prototype, 'execute') && 'tasksQueueLength' in prototype) {
    return patchPool(candidate, recorder);
  }
  if (Object.hasOwn(prototype, '_execute') || Object.hasOwn(prototype, 'getSlotMaster')) {
    return patchRouter(candidate, recorder, sample);
  }
  return undefined;
}

/**
 * Creates one of each object that a package can create, if it exports only factories. None of them
 * connects.
 */
function samplesOf(exports: ModuleExports): object[] {
  if (typeof exports?.createClient !== 'function' || exports.RedisClient) return [];
  return [
    made(() => exports.createClient({ socket: {} })),
    made(() => exports.createCluster({ rootNodes: [] })),
    made(() => exports.createClientPool({ socket: {} })),
    made(() =>
      exports.createSentinel({ name: 'clew', sentinelRootNodes: [{ host: '', port: 0 }] }),
    ),
  ].filter((sample) => sample !== undefined);
}

/**
 * Returns the result of `make`; undefined if a version cannot create it, or not with these
 * arguments.
 */
function made(make: () => object): object | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** Returns the classes of `sample`, its own first. */
function classesOf(sample: object): ModuleExports[] {
  const prototype = Object.getPrototypeOf(sample) as object | null;
  return prototype ? [prototype.constructor, ...classesOf(prototype)] : [];
}
