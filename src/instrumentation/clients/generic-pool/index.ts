import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { byClass } from '../../operation.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchPool } from './pool-source.ts';

/**
 * `generic-pool`: metrics of its pools, and factories that run outside of every request. It makes
 * no spans.
 */
export const genericPool: ClientDefinition = {
  name: 'generic-pool',
  responses: { describeError: byClass },
  modules: [
    { module: 'generic-pool', versions: '>=3.0.0 <4', patch: patchPackage },
    { module: 'generic-pool/lib/Pool', versions: '>=3.0.0 <4', patch: patchPackage },
  ],
};

function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  const Pool = found?.Pool ?? found;
  return typeof Pool?.prototype?.acquire === 'function' ? patchPool(Pool, recorder) : undefined;
}
