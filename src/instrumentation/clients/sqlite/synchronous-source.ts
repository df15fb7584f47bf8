import type { Operation } from '../../operation.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { OperationRecording } from '../../recorder/operation-recording.ts';

/*
 * Synchronous clients. Their callers' contexts are never lost, so there are recordings but no
 * operation resources. `recordings` holds those of iterators that are not done; an entry is
 * collected with its iterator.
 */
const recordings = new WeakMap<object, OperationRecording>();

type Method = (...args: unknown[]) => unknown;
type Describe<Target> = (target: Target, args: readonly unknown[]) => Operation;

/** Records each call of the methods `keys` of `prototype`. */
export function recordCalls<Target extends object>(
  prototype: Target,
  keys: readonly string[],
  recorder: Recorder,
  describe: Describe<Target>,
): Undo {
  return undoAll(
    keys.map((key) =>
      patchMethod(prototype as Record<string, Method>, key, (original) => {
        return function recorded(this: unknown, ...args) {
          const recording = start(this as Target, args, recorder, describe);
          if (!recording) return original.apply(this as never, args);
          let result: unknown;
          try {
            result = original.apply(this as never, args);
          } catch (error) {
            recording.end(error);
            throw error;
          }
          recording.end(undefined, result);
          return result;
        };
      }),
    ),
  );
}

/** Records each iterator that the method `key` of `prototype` returns, from there to its end. */
export function recordIterators<Target extends object>(
  prototype: Target,
  key: string,
  recorder: Recorder,
  describe: Describe<Target>,
): Undo {
  const undos: Undo[] = [];
  const undo = patchMethod(prototype as Record<string, Method>, key, (original) => {
    return function iterate(this: unknown, ...args) {
      const recording = start(this as Target, args, recorder, describe);
      if (!recording) return original.apply(this as never, args);
      try {
        const iterator = original.apply(this as never, args) as object;
        const undoIterator = patchIterator(Object.getPrototypeOf(iterator) as IteratorLike);
        if (undoIterator) undos.push(undoIterator);
        recordings.set(iterator, recording);
        return iterator;
      } catch (error) {
        recording.end(error);
        throw error;
      }
    };
  });
  return undoAll([() => undoAll(undos.splice(0))(), undo]);
}

interface IteratorLike {
  next(...args: unknown[]): unknown;
  return?(...args: unknown[]): unknown;
}

/** Patches the class of iterators, which is known once the first one exists. */
function patchIterator(prototype: IteratorLike): Undo | undefined {
  const release = reservePatch(prototype, 'sqlite iterator');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'next', (original) => {
      return function next(...args) {
        const recording = recordings.get(this);
        if (!recording) return original.apply(this, args);
        try {
          const result = original.apply(this, args) as { done?: boolean };
          if (result.done) recording.end();
          return result;
        } catch (error) {
          recording.end(error);
          throw error;
        }
      };
    }),
    patchMethod(prototype as Required<IteratorLike>, 'return', (original) => {
      return function returned(...args) {
        recordings.get(this)?.end();
        return original.apply(this, args);
      };
    }),
  ]);
}

function start<Target>(
  target: Target,
  args: readonly unknown[],
  recorder: Recorder,
  describe: Describe<Target>,
): OperationRecording | undefined {
  if (!recorder.isListening) return undefined;
  let operation: Operation;
  try {
    operation = describe(target, args);
  } catch {
    // Even its text cannot be read: it was closed, or is something else.
    return undefined;
  }
  return recorder.start(operation);
}
