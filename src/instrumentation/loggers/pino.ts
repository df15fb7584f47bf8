import { defaultOf, type ModuleExports } from '../module-hooks.ts';
import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../patch.ts';
import type { LoggerDefinition, ReadFields } from './logger.ts';

/** `pino`: its lines are complemented when they are made, before any transport has them. */
export const pino: LoggerDefinition = {
  name: 'pino',
  modules: [{ module: 'pino', versions: '>=7 <11', patch }],
};

type AsJson = (this: unknown, object: unknown, ...rest: unknown[]) => unknown;

function patch(exports: ModuleExports, read: ReadFields): Undo | undefined {
  const make = defaultOf(exports);
  const asJson = (make?.symbols as Record<string, symbol> | undefined)?.['asJsonSym'];
  if (typeof make !== 'function' || asJson === undefined) return undefined;
  // The prototype of all loggers is not exported.
  const prototype = ownerOf(make({ level: 'silent' }, { write: () => undefined }), asJson);
  const release = prototype && claim(prototype, 'log fields');
  if (!release) return undefined;
  const undo = patchMethod(prototype as Record<symbol, AsJson>, asJson, (original) => {
    return function (...args) {
      const line: unknown = Reflect.apply(original, this, args);
      const fields = read();
      return fields && typeof line === 'string' ? withFields(line, fields) : line;
    };
  });
  return undoAll([release, undo]);
}

/** Puts fields at the end of a JSON line, but for those that it has. */
export function withFields(line: string, fields: readonly [string, string][]): string {
  const end = line.lastIndexOf('}');
  if (end === -1) return line;
  let added = '';
  for (const [name, value] of fields) {
    const key = `${JSON.stringify(name)}:`;
    if (!hasField(line, name, key)) added += `,${key}"${value}"`;
  }
  if (line[end - 1] === '{') added = added.slice(1);
  return line.slice(0, end) + added + line.slice(end);
}

/** Searching for the text is cheap, and only where it is found must the line be read. */
function hasField(line: string, name: string, key: string): boolean {
  if (!line.includes(key)) return false;
  try {
    return Object.hasOwn(JSON.parse(line) as object, name);
  } catch {
    return true;
  }
}
