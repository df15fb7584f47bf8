import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { byClass } from '../../operation.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchPool } from './pool-source.ts';

/**
 * `tarn`, the pool of knex and mssql: its metrics, and factories that run outside of every request.
 * It makes no span.
 */
export const tarn: ClientDefinition = {
  name: 'tarn',
  responses: { describeError: byClass },
  modules: [{ module: 'tarn', versions: '>=3.0.0 <4', patch: patchPackage }],
};

function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const { Pool, TimeoutError } = defaultOf(exports) ?? {};
  const isKnown =
    typeof Pool?.prototype?._executeEventHandlers === 'function' &&
    typeof TimeoutError === 'function';
  return isKnown ? patchPool(Pool, TimeoutError, recorder) : undefined;
}
