import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { byClass } from '../../operation.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchLoader } from './loader-source.ts';

/** `dataloader`: a span for each batch, linked to every caller whose keys it loads. */
export const dataloader: ClientDefinition = {
  name: 'dataloader',
  responses: { describeError: byClass },
  modules: [{ module: 'dataloader', versions: '>=2.0.0 <3', patch: patchPackage }],
};

function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const Loader = defaultOf(exports);
  return typeof Loader?.prototype?.loadMany === 'function'
    ? patchLoader(Loader, recorder)
    : undefined;
}
