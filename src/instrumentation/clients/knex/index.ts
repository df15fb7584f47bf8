import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import { describeError } from './describe.ts';
import { patchClient, patchPool } from './source.ts';

/** `knex` with `tarn`, over a driver whose own instrumentation records the queries. */
export const knex: ClientDefinition = {
  name: 'knex',
  responses: { describeError },
  modules: [
    { module: 'knex', versions: '>=3.0.1 <4', patch: patchPackage },
    { module: 'knex/lib/client', versions: '>=3.0.1 <4', patch: patchPackage },
    { module: 'tarn', versions: '>=3.0.0 <4', patch: patchPackage },
  ],
};

/** Patches the classes in `exports`, which is knex, its base class of clients, or tarn. */
function patchPackage(exports: ModuleExports): Undo | undefined {
  const found = defaultOf(exports);
  const undos = [found, found.Client, found.Pool].map((candidate) => {
    const prototype = candidate?.prototype;
    if (typeof prototype?.initializePool === 'function') return patchClient(candidate);
    if (typeof prototype?.numPendingAcquires === 'function') return patchPool(candidate);
    return undefined;
  });
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
