import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { byClass } from '../../operation.ts';
import { patchLoader } from './loader-source.ts';

/** `dataloader`: a span for each batch, linked to every caller whose keys it loads. */
export const dataloader: ClientDefinition = {
  name: 'dataloader',
  responses: { describeError: byClass },
  modules: [
    {
      module: 'dataloader',
      versions: '>=2.0.0 <3',
      patch: patchClasses([{ has: ['loadMany'], patch: patchLoader }]),
    },
  ],
};
