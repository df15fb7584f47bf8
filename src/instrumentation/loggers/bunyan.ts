import { defaultOf, type ModuleExports } from '../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import type { ReadFields } from './log-fields.ts';
import type { LoggerDefinition } from './logger.ts';

/** `bunyan`: its own copy of a record gets the fields before any stream sees it. */
export const bunyan: LoggerDefinition = {
  name: 'bunyan',
  modules: [{ module: 'bunyan', versions: '>=1 <3', patch }],
};

interface BunyanLogger {
  _emit(record: Record<string, unknown>, ...rest: unknown[]): unknown;
}

function patch(exports: ModuleExports, read: ReadFields): Undo | undefined {
  const prototype = defaultOf(exports)?.prototype as BunyanLogger | undefined;
  if (typeof prototype?._emit !== 'function') return undefined;
  const release = reservePatch(prototype, 'log fields');
  if (!release) return undefined;
  const undo = patchMethod(prototype, '_emit', (original) => {
    return function (record, ...rest) {
      for (const { name, value } of read() ?? []) {
        if (record[name] === undefined) record[name] = value;
      }
      return Reflect.apply(original, this, [record, ...rest]);
    };
  });
  return undoAll([release, undo]);
}
