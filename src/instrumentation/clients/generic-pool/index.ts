import type { ClientDefinition } from '../../client.ts';
import { patchClasses } from '../../declared-classes.ts';
import { byClass } from '../../operation.ts';
import { patchPool } from './pool-source.ts';

const patch = patchClasses([{ has: ['acquire'], patch: patchPool }], ['Pool']);

/**
 * `generic-pool`: metrics of its pools, and factories that run outside of every request. It makes
 * no spans.
 */
export const genericPool: ClientDefinition = {
  name: 'generic-pool',
  responses: { describeError: byClass },
  modules: [
    { module: 'generic-pool', versions: '>=3.0.0 <4', patch },
    { module: 'generic-pool/lib/Pool', versions: '>=3.0.0 <4', patch },
  ],
};
