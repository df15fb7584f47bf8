import type { ModulePatch } from '../module-hooks.ts';
import { patchMethod } from '../../base/patch.ts';
import type { AnyFunction } from '../wrap/repair-unit.ts';
import { sharedUnits } from '../wrap/task.ts';

interface BatchedWrite {
  chunk: object;
}

interface Transport {
  logv?: unknown;
}

/**
 * A transport of winston takes the records that waited as one list and logs them one by one, each
 * for another caller. Here each is logged in its caller's context. A transport that has its own
 * `logv` really works on the list, so it is left alone.
 */
export const WINSTON_BATCHES: ModulePatch = {
  module: 'winston-transport',
  versions: '>=4 <5',
  patch(exports: { prototype: Record<string, AnyFunction>; default?: never }) {
    const { prototype } = exports.prototype ? exports : (exports.default ?? exports);
    const units = sharedUnits('winston');
    return patchMethod(prototype, '_writev', (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const [chunks, callback] = args as [BatchedWrite[], AnyFunction];
        const isList = Array.isArray(chunks) && typeof callback === 'function';
        if (!isList || (this as Transport).logv) return Reflect.apply(original, this, args);
        for (const write of chunks) {
          const unit = units.get(write.chunk);
          let said = false;
          const given = [[write], () => (said = true)];
          try {
            if (unit) unit.enter(original, this, given);
            else Reflect.apply(original, this, given);
          } catch (error) {
            // A format that throws ends the list with success, a transport that throws does not.
            if (said) Reflect.apply(callback, undefined, [null]);
            throw error;
          }
        }
        return Reflect.apply(callback, undefined, [null]);
      };
    });
  },
};
