import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError, noteReplyErrors } from '../../redis/attributes.ts';
import { receivedIn } from '../../redis/stream-entries.ts';
import { patchRedis } from './command-source.ts';
import { patchPipeline } from './pipeline-source.ts';

const patchRedisClasses = patchClasses(
  [
    { has: ['fillResult'], patch: patchPipeline },
    // A pipeline has it, too.
    { has: ['sendCommand'], patch: patchRedis },
  ],
  ['Redis', 'Cluster', 'Pipeline'],
);

/** `ioredis` with its pipelines, clusters and scripts, and its fork `iovalkey`. */
export const ioredis: ClientDefinition = {
  name: 'ioredis',
  responses: { describeError, messagesIn: receivedIn },
  requireParent: true,
  modules: [
    { module: 'ioredis', versions: '>=5.0.0 <7', patch: patchPackage },
    { module: 'iovalkey', versions: '>=0.1.0 <1', patch: patchPackage },
  ],
};

function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  noteReplyErrors(defaultOf(exports));
  return patchRedisClasses(exports, recorder);
}
