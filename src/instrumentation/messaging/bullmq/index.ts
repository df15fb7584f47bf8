import { patchClasses } from '../../declared-classes.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchFlowProducer } from './flow-source.ts';
import { patchQueue } from './producer-source.ts';
import { patchChildProcessor, patchJob } from './sandbox-source.ts';
import { patchWorker } from './worker-source.ts';

const VERSIONS = '>=5 <7';

type Class = { prototype: never };

const patch = patchClasses<MessagingRecorder>(
  [
    {
      has: ['addBulk', 'obliterate'],
      patch: ({ prototype }: Class, recorder) => patchQueue(prototype, recorder),
    },
    {
      has: ['addBulk'],
      patch: ({ prototype }: Class, recorder) => patchFlowProducer(prototype, recorder),
    },
    {
      has: ['callProcessJob'],
      patch: ({ prototype }: Class, recorder) => patchWorker(prototype, recorder),
    },
    {
      has: ['asJSONSandbox'],
      patch: ({ prototype }: Class, recorder) => patchJob(prototype, recorder),
    },
    { has: ['start', 'stop'], patch: ({ prototype }: Class) => patchChildProcessor(prototype) },
  ],
  ['Queue', 'FlowProducer', 'Worker', 'Job', 'ChildProcessor'],
);

/** `bullmq`, but for queues and workers that were given a telemetry by the application. */
export const bullmq: MessagingDefinition = {
  name: 'bullmq',
  modules: [
    { module: 'bullmq', versions: VERSIONS, patch },
    // What a sandbox loads.
    ...['cjs', 'esm'].map((form) => ({
      module: `bullmq/dist/${form}/classes/child-processor`,
      versions: VERSIONS,
      patch,
    })),
  ],
};
