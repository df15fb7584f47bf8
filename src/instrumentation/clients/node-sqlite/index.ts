import type { ClientDefinition } from '../../client.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from '../sqlite/attributes.ts';
import { patchModule } from './source.ts';

/** Node's own SQLite. Its tracing channel publishes neither starts nor errors, so it is patched. */
export const nodeSqlite: ClientDefinition = {
  name: 'node:sqlite',
  responses: { describeError, countRows },
  modules: [{ module: 'node:sqlite', versions: '>=22.5.0 <27', patch }],
};

function patch(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  if (typeof exports?.DatabaseSync !== 'function' || typeof exports.StatementSync !== 'function') {
    return undefined;
  }
  return patchModule(exports, recorder);
}
