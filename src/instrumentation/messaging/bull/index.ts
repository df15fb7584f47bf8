import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { MessagingDefinition } from '../messaging-definition.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { patchQueue } from './queue-source.ts';

const VERSIONS = '>=4 <5';

/** `bull` 4, whose jobs carry the context as those of BullMQ do. */
export const bull: MessagingDefinition = {
  name: 'bull',
  modules: [
    { module: 'bull', versions: VERSIONS, patch: patchPackage },
    { module: 'bull/lib/queue', versions: VERSIONS, patch: patchPackage },
  ],
};

function patchPackage(exports: ModuleExports, recorder: MessagingRecorder): Undo | undefined {
  const prototype = defaultOf(exports)?.prototype;
  const isQueue =
    typeof prototype?.setHandler === 'function' && typeof prototype.addBulk === 'function';
  return isQueue ? patchQueue(prototype, recorder) : undefined;
}
