import type { ClientDefinition } from '../../client.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError } from '../pg/describe.ts';
import { countRows } from './describe.ts';
import { patchDatabase } from './query-source.ts';

const VERSIONS = '>=0.3.0 <0.6';

/** PGlite: PostgreSQL in this process. */
export const pglite: ClientDefinition = {
  name: 'pglite',
  responses: { describeError, countRows },
  modules: ['@electric-sql/pglite', '@electric-sql/pglite/dist/index'].map((module) => ({
    module,
    versions: VERSIONS,
    patch: patchModule,
  })),
};

function patchModule(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const { PGlite } = exports ?? {};
  const prototype = PGlite?.prototype;
  if (typeof prototype?._runExclusiveQuery !== 'function') return undefined;
  return patchDatabase(PGlite, recorder);
}
