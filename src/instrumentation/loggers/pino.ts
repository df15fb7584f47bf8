import { defaultOf, type ModuleExports } from '../module-hooks.ts';
import { reservePatch, ownerOf, patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import { withJsonFields } from './json-line.ts';
import type { ReadFields } from './log-fields.ts';
import type { LoggerDefinition } from './logger.ts';

/** `pino`: its lines are complemented when they are made, before any transport has them. */
export const pino: LoggerDefinition = {
  name: 'pino',
  modules: [{ module: 'pino', versions: '>=5.14 <11', patch }],
};

type AsJson = (this: unknown, object: unknown, ...rest: unknown[]) => unknown;

function patch(exports: ModuleExports, read: ReadFields): Undo | undefined {
  const make = defaultOf(exports);
  const asJson = (make?.symbols as Record<string, symbol> | undefined)?.['asJsonSym'];
  if (typeof make !== 'function' || asJson === undefined) return undefined;
  // The prototype of all loggers is not exported.
  const prototype = ownerOf(make({ level: 'silent' }, { write: () => undefined }), asJson);
  const release = prototype && reservePatch(prototype, 'log fields');
  if (!release) return undefined;
  const undo = patchMethod(prototype as Record<symbol, AsJson>, asJson, (original) => {
    return function (...args) {
      const line: unknown = Reflect.apply(original, this, args);
      const fields = read();
      return fields && typeof line === 'string' ? withJsonFields(line, fields) : line;
    };
  });
  return undoAll([release, undo]);
}
