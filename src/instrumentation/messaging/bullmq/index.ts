import type { ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchFlowProducer } from './flow-source.ts';
import { patchQueue } from './producer-source.ts';
import { patchChildProcessor, patchJob } from './sandbox-source.ts';
import { patchWorker } from './worker-source.ts';

const VERSIONS = '>=5 <7';

/** `bullmq`, but for queues and workers that were given a telemetry by the application. */
export const bullmq: MessagingDefinition = {
  name: 'bullmq',
  modules: [
    { module: 'bullmq', versions: VERSIONS, patch: patchPackage },
    // What a sandbox loads.
    ...['cjs', 'esm'].map((form) => ({
      module: `bullmq/dist/${form}/classes/child-processor`,
      versions: VERSIONS,
      patch: patchPackage,
    })),
  ],
};

/** Patches the classes in `exports`, known by their methods. */
function patchPackage(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const { Queue, FlowProducer, Worker, Job, ChildProcessor } = exports;
  const has = (found: ModuleExports, method: string): boolean =>
    typeof found?.prototype?.[method] === 'function';
  const undos = [
    has(Queue, 'addBulk') && patchQueue(Queue.prototype, recorder),
    has(FlowProducer, 'addBulk') && patchFlowProducer(FlowProducer.prototype, recorder),
    has(Worker, 'callProcessJob') && patchWorker(Worker.prototype, recorder),
    has(Job, 'asJSONSandbox') && patchJob(Job.prototype, recorder),
    has(ChildProcessor, 'start') && patchChildProcessor(ChildProcessor.prototype),
  ].map((undo) => undo || undefined);
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
