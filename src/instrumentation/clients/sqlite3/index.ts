import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { countRows, describeError } from '../sqlite/attributes.ts';
import { patchModule } from './source.ts';

/** sqlite3, with its callbacks. */
export const sqlite3: ClientDefinition = {
  name: 'sqlite3',
  responses: { describeError, countRows },
  modules: [{ module: 'sqlite3', versions: '>=5.1.7 <7', patch }],
};

function patch(exports: ModuleExports, recorder: Recorder): Undo | undefined {
  const found = defaultOf(exports);
  const isKnown = [found?.Database, found?.Statement, found?.Backup].every(
    (candidate) => typeof candidate === 'function',
  );
  return isKnown && typeof found.Database.prototype.each === 'function'
    ? patchModule(found, recorder)
    : undefined;
}
