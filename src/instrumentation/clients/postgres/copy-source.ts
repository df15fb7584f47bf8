import type { RunningOperation } from '../../running-operation.ts';
import type { CopyStream } from './shapes.ts';

/** Whether a query was answered by a stream, of which the end is the query's end. */
export function isCopyStream(value: unknown): value is CopyStream {
  return typeof (value as { pipe?: unknown } | null)?.pipe === 'function';
}

/** Lets everything that `stream` tells its listeners happen in the scope of `operation`. */
export function followStream(stream: CopyStream, operation: RunningOperation): void {
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
