import type { Duplex } from 'node:stream';

import { patchMethod, undoAll } from '../../../base/patch.ts';
import type { InFlight } from './request-context.ts';
import { ABORTED_BY_CLIENT } from './response-end.ts';

/*
 * The answer to `upgrade` and `CONNECT`, which the application writes to the socket itself. The
 * request has its answer with the first bytes; what the socket carries from then on may last for
 * hours and is another protocol.
 */

type Methods = Record<'write' | 'end' | 'destroy', (...args: unknown[]) => unknown>;

const STATUS = /^HTTP\/1\.[01] (\d{3})/;

/** Ends `request` with the first bytes written to `socket`, or when that is given up before. */
export function watchAnswer(socket: Duplex, request: InFlight): void {
  const methods = socket as object as Methods;
  let isOver = false;
  const finish = (chunk: unknown, isWritten: boolean): void => {
    if (isOver) return;
    isOver = true;
    undo();
    request.end(isWritten, { status: statusOf(chunk), failure: ABORTED_BY_CLIENT });
  };
  const watch = (method: keyof Methods, isWriting: (chunk: unknown) => boolean) =>
    patchMethod(methods, method, (original) => {
      return function (this: Methods, ...args: unknown[]): unknown {
        try {
          return original.apply(this, args);
        } finally {
          finish(args[0], isWriting(args[0]));
        }
      };
    });
  const isChunk = (chunk: unknown): boolean =>
    chunk !== undefined && chunk !== null && typeof chunk !== 'function';
  const undo = undoAll([
    watch('write', () => true),
    watch('end', isChunk),
    watch('destroy', () => false),
  ]);
}

function statusOf(chunk: unknown): number | undefined {
  const text =
    typeof chunk === 'string'
      ? chunk
      : chunk instanceof Uint8Array
        ? Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.byteLength, 16)).toString(
            'latin1',
          )
        : '';
  const digits = STATUS.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
