import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError, noteReplyErrors } from '../../redis/describe.ts';
import { receivedIn } from '../../redis/stream-entries.ts';
import { patchRedis } from './command-source.ts';
import { patchPipeline } from './pipeline-source.ts';

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
  const found = defaultOf(exports);
  noteReplyErrors(found);
  const Redis = found?.Redis ?? found;
  const Cluster = exports?.Cluster ?? found?.Cluster;
  const Pipeline = exports?.Pipeline ?? found?.Pipeline;
  const undos = [
    typeof Redis?.prototype?.sendCommand === 'function' && patchRedis(Redis, recorder),
    typeof Cluster?.prototype?.sendCommand === 'function' && patchRedis(Cluster, recorder),
    typeof Pipeline?.prototype?.exec === 'function' && patchPipeline(Pipeline, recorder),
  ].filter((undo) => typeof undo === 'function');
  return undos.length > 0 ? undoAll(undos) : undefined;
}
