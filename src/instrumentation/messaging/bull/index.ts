import { patchClasses } from '../../declared-classes.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchQueue } from './queue-source.ts';

const VERSIONS = '>=4 <5';

const patch = patchClasses([
  {
    has: ['setHandler', 'addBulk'],
    patch: ({ prototype }, recorder: MessagingRecorder) => patchQueue(prototype, recorder),
  },
]);

/** `bull` 4, whose jobs carry the context as those of BullMQ do. */
export const bull: MessagingDefinition = {
  name: 'bull',
  modules: [
    { module: 'bull', versions: VERSIONS, patch },
    { module: 'bull/lib/queue', versions: VERSIONS, patch },
  ],
};
