import { reservePatch, patchHotMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { finishing, PendingOperation } from '../../pending-operation.ts';
import { describeCommand, errorIn, isTheUsers } from './attributes.ts';
import type { ClassOf, MongoCommand, MongoConnection } from './library-types.ts';
import { takeWait } from './waits.ts';

/** Patches the class of connections: each command of the application is one operation. */
export function patchConnection(
  { prototype }: ClassOf<MongoConnection>,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'mongodb connection');
  if (!release) return undefined;
  return undoAll([
    release,
    patchHotMethod(prototype, 'command', (original, patch) => {
      // Before 6.4, a callback is the last of four parameters without defaults.
      const takesCallback = original.length === 4;
      return function command(namespace, document, ...rest) {
        const isSeen = !patch.isUndone && recorder.isListening && isTheUsers(document);
        if (!isSeen) return original.call(this, namespace, document, ...rest);
        const operation = new PendingOperation('MONGODB_COMMAND');
        operation.record(recorder, describeCommand(this.address, namespace.db, document));
        const wait = takeWait(this);
        if (wait !== undefined) operation.recording?.waited(wait);
        if (takesCallback) {
          const [options, callback] = rest;
          const told = finishing(operation, callback as () => void);
          return original.call(this, namespace, document, options, told);
        }
        const result = original.call(this, namespace, document, ...rest);
        settleWith(operation, document, result as Promise<unknown>);
        return result;
      };
    }),
  ]);
}

/**
 * Observes the end before the receiver of the promise does. That is always the driver, which
 * handles rejections, so listening to them hides none.
 */
function settleWith(
  operation: PendingOperation,
  document: MongoCommand,
  result: Promise<unknown>,
): void {
  result.then(
    (reply) => {
      operation.settle(errorIn(document, reply), reply);
      operation.end();
    },
    (error: unknown) => {
      operation.settle(error);
      operation.end();
    },
  );
}
