import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from './describe.ts';
import { patchCursor } from './cursor-source.ts';
import { patchPool } from './pool-source.ts';
import { patchClient } from './query-source.ts';

/** `pg` with its pool, cursors and streams, and `pg.native`. */
export const pg: ClientDefinition = {
  name: 'pg',
  responses: { describeError, countRows },
  modules: [
    { module: 'pg', versions: '>=8.0.3 <9', patch: patchPackage },
    { module: 'pg/lib/client', versions: '>=8.0.3 <9', patch: patchPackage },
    { module: 'pg/lib/native/client', versions: '>=8.0.3 <9', patch: patchPackage },
    { module: 'pg-pool', versions: '>=3.1.1 <4', patch: patchPackage },
    { module: 'pg-cursor', versions: '>=2.1.0 <3', patch: patchPackage },
  ],
};

/** Patches the classes in `exports`, which is pg itself or a module that is one of its classes. */
function patchPackage(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  const undos = [found, found.Client, found.Pool].map((candidate) => {
    const prototype = candidate?.prototype;
    if (typeof prototype?._pulseQueryQueue === 'function') return patchClient(candidate, recorder);
    if (typeof prototype?.newClient === 'function') return patchPool(candidate, recorder);
    if (typeof prototype?.handleReadyForQuery === 'function' && prototype.read) {
      return patchCursor(candidate);
    }
    return undefined;
  });
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}
