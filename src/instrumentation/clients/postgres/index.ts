import type { ClientDefinition } from '../../client.ts';
import { defaultOf, type ModuleExports } from '../../module-hooks.ts';
import { replaceFunction, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeError } from '../pg/attributes.ts';
import { countRows } from './attributes.ts';
import { patchByProbe, patchInstance, patchQueryOf } from './instance-source.ts';
import { heardOptions } from './option-source.ts';
import type { Postgres, PostgresSql } from './library-types.ts';

const VERSIONS = '>=3.4.0 <4';

/** postgres.js. */
export const postgres: ClientDefinition = {
  name: 'postgres',
  responses: { describeError, countRows },
  modules: [
    { module: 'postgres', versions: VERSIONS, patch: patchModule },
    { module: 'postgres/src/index', versions: VERSIONS, patch: patchModule },
  ],
};

/** Patches the module, or an instance created by it. */
function patchModule(
  exports: ModuleExports,
  recorder: Recorder,
  replace?: (replacement: ModuleExports) => void,
): Undo | undefined {
  const found = defaultOf(exports) as Partial<Postgres & PostgresSql> | undefined;
  if (typeof found !== 'function') return undefined;
  if (!isInstance(found)) {
    if (!('toPascal' in found)) return undefined;
    return replace ? replacePostgres(found, recorder, replace) : patchByProbe(found, recorder);
  }
  const undos = [patchQueryOf(found, recorder), patchInstance(found, recorder)];
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

function isInstance(found: object): found is PostgresSql {
  return 'unsafe' in found && 'options' in found && 'listen' in found;
}

/** Only an instance knows where it connects to, and only `postgres()` creates instances. */
function replacePostgres(
  exports: Postgres,
  recorder: Recorder,
  replace: (replacement: ModuleExports) => void,
): Undo {
  let undoQuery: Undo | undefined;
  const undos = new WeakMap<PostgresSql, Undo>();
  const instances = new Set<WeakRef<PostgresSql>>();
  const gone = new FinalizationRegistry<WeakRef<PostgresSql>>((reference) => {
    instances.delete(reference);
  });
  const { replacement, undo } = replaceFunction(exports, (original) => {
    return function postgres(...args) {
      const options = heardOptions(args, original);
      const sql = original(...options.args);
      undoQuery ??= patchQueryOf(sql, recorder);
      const undoInstance = patchInstance(sql, recorder);
      options.belongTo(sql);
      if (undoInstance) {
        const reference = new WeakRef(sql);
        instances.add(reference);
        gone.register(sql, reference);
        undos.set(sql, undoInstance);
      }
      return sql;
    };
  });
  const undoInstances = (): void => {
    for (const reference of instances) {
      const sql = reference.deref();
      if (sql) undos.get(sql)?.();
    }
    instances.clear();
  };
  replace(replacement);
  return undoAll([() => undoQuery?.(), undoInstances, undo]);
}
