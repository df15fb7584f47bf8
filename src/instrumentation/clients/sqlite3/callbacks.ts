import { finishing, type PendingOperation } from '../../pending-operation.ts';
import type { Method } from './library-types.ts';

/** The function that reports an error without a receiver. */
interface Emitter {
  emit(event: string, ...args: unknown[]): boolean;
}

/** Whether the last of `args` is a callback. */
export function hasCallback(args: readonly unknown[]): boolean {
  return typeof args.at(-1) === 'function';
}

/**
 * Returns `args` with the callback bound to the context of `operation`, which it settles. If there
 * is no callback, one is added that reports an error where it would have gone: to the `error`
 * event.
 */
export function withCallback(
  args: readonly unknown[],
  operation: PendingOperation,
  emitter: () => Emitter | undefined,
): unknown[] {
  if (hasCallback(args)) {
    return [...args.slice(0, -1), finishing(operation, args.at(-1) as Method)];
  }
  return [
    ...args,
    finishing(operation, (error) => {
      if (error) emitter()?.emit('error', error);
    }),
  ];
}

/** The same for `each`, which has a callback for the rows and may have one for the end. */
export function withRowCallbacks(
  args: readonly unknown[],
  operation: PendingOperation,
  emitter: () => Emitter | undefined,
): unknown[] {
  const isFunction = (value: unknown): value is Method => typeof value === 'function';
  const [last, beforeLast] = [args.at(-1), args.at(-2)];
  const ofRow = (callback: Method): Method =>
    function rowCallback(this: unknown, ...results) {
      if (results[0]) operation.settle(results[0]);
      return operation.run(callback, this, ...results);
    };
  if (isFunction(last) && isFunction(beforeLast)) {
    return [...args.slice(0, -2), ofRow(beforeLast), finishing(operation, last)];
  }
  const onRow: Method = isFunction(last)
    ? last
    : (error) => {
        if (error) emitter()?.emit('error', error);
      };
  // If a statement cannot be prepared, that is reported to the last callback, which is then ours.
  const onEnd: Method = function endCallback(this: unknown, ...results) {
    return results[0] ? onRow.call(this, ...results) : undefined;
  };
  const others = isFunction(last) ? args.slice(0, -1) : args;
  return [...others, ofRow(onRow), finishing(operation, onEnd)];
}
