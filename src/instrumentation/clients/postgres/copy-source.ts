import type { PendingOperation } from '../../pending-operation.ts';
import type { CopyStream } from './library-types.ts';

/** Whether the result of a query is a stream, whose end is the end of the query. */
export function isCopyStream(value: unknown): value is CopyStream {
  return typeof (value as { pipe?: unknown } | null)?.pipe === 'function';
}

/** Makes all events of `stream` run in the scope of `operation`. */
export function followStream(stream: CopyStream, operation: PendingOperation): void {
  const { emit } = stream;
  Object.defineProperty(stream, 'emit', {
    value: function (this: CopyStream, event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'error') operation.settle(args[0]);
      if (event !== 'close') return operation.run(emit, this, event, ...args);
      operation.settle();
      try {
        return operation.run(emit, this, event, ...args);
      } finally {
        operation.end();
      }
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
