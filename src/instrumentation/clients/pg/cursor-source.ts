import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { bindCallback } from '../../pending-operation.ts';
import type { Submittable } from './library-types.ts';
import { patchSubmittable } from './submittable.ts';

interface CursorClass {
  prototype: Submittable & {
    read(rows: number, callback?: unknown): unknown;
    close(callback?: unknown): unknown;
  };
}

/** Patches cursors: the callbacks of `read` and `close` run in the context of their callers. */
export function patchCursor(Cursor: CursorClass): Undo | undefined {
  const { prototype } = Cursor;
  const release = reservePatch(prototype, 'pg cursor');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'read', (original) => {
      return function read(rows, callback) {
        return original.call(this, rows, bound(callback));
      };
    }),
    patchMethod(prototype, 'close', (original) => {
      return function close(callback) {
        return original.call(this, bound(callback));
      };
    }),
    patchSubmittable(prototype),
  ]);
}

function bound(callback: unknown): unknown {
  return typeof callback === 'function'
    ? bindCallback('PG_CURSOR', callback as () => void)
    : callback;
}
