import { defaultOf, type ModuleExports } from '../module-hooks.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../base/patch.ts';
import type { LogField, ReadFields } from './log-fields.ts';
import type { LoggerDefinition } from './logger.ts';

/** `winston` 3: records get the fields before the formats of their logger see them. */
export const winston: LoggerDefinition = {
  name: 'winston',
  modules: [{ module: 'winston/lib/winston/logger', versions: '>=3 <4', patch }],
};

interface WinstonLogger {
  write(record: unknown, ...rest: unknown[]): boolean;
}

function patch(exports: ModuleExports, read: ReadFields): Undo | undefined {
  const whole = defaultOf(exports);
  const prototype = (whole?.Logger ?? whole)?.prototype as WinstonLogger | undefined;
  if (typeof prototype?.write !== 'function' || !('configure' in prototype)) return undefined;
  const release = reservePatch(prototype, 'log fields');
  if (!release) return undefined;
  const undo = patchMethod(prototype, 'write', (original) => {
    return function (record, ...rest) {
      const fields = read();
      const isRecord = fields !== undefined && typeof record === 'object' && record !== null;
      const given = isRecord ? withFields(record, fields) : record;
      return Reflect.apply(original, this, [given, ...rest]);
    };
  });
  return undoAll([release, undo]);
}

/**
 * A copy of a record with fields, but for those it has. The record may be an object of the caller's
 * that is logged again, in another trace. An error stays one.
 */
function withFields(record: object, fields: readonly LogField[]): object {
  const own = record as Record<string, unknown>;
  const missing = fields.filter(({ name }) => own[name] === undefined);
  if (missing.length === 0) return record;
  const prototype = Object.getPrototypeOf(record) as object | null;
  const copy = prototype === Object.prototype ? plainCopyOf(own) : undefined;
  if (copy !== undefined) {
    for (const { name, value } of missing) copy[name] = value;
    return copy;
  }
  const descriptors: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(record);
  for (const { name, value } of missing) {
    descriptors[name] = { value, writable: true, enumerable: true, configurable: true };
  }
  return Object.create(prototype, descriptors) as object;
}

/** `undefined` if a getter throws: the formats of the logger are to be the first to call it. */
function plainCopyOf(record: Record<string, unknown>): Record<string, unknown> | undefined {
  try {
    return { ...record };
  } catch {
    return undefined;
  }
}
