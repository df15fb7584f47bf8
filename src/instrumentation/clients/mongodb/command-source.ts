import { claim, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { finishing, RunningOperation } from '../../running-operation.ts';
import { describeCommand, errorIn, isTheUsers } from './describe.ts';
import type { ClassOf, MongoConnection } from './shapes.ts';
import { takeWait } from './waits.ts';

/** Patches the class of connections: each command of the application's is one operation. */
export function patchConnection(
  { prototype }: ClassOf<MongoConnection>,
  recorder: Recorder,
): Undo | undefined {
  const release = claim(prototype, 'mongodb connection');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'command', (original) => {
      // Before 6.4 a callback is the last of four parameters, none of which has a default.
      const takesCallback = original.length === 4;
      return function command(namespace, document, ...rest) {
        const isSeen = recorder.isListening && isTheUsers(document);
        if (!isSeen) return original.call(this, namespace, document, ...rest);
        const operation = new RunningOperation('MONGODB_COMMAND');
        operation.record(recorder, describeCommand(this.address, namespace.db, document));
        const wait = takeWait(this);
        if (wait !== undefined) operation.recording?.waited(wait);
        if (takesCallback) {
          const [options, callback] = rest;
          const told = finishing(operation, callback as () => void);
          return original.call(this, namespace, document, options, told);
        }
        const result = original.call(this, namespace, document, ...rest);
        return settling(operation, result, (reply) => errorIn(document, reply));
      };
    }),
  ]);
}

/** One promise in the place of the other: a rejection is handled, or not, as it would have been. */
function settling(
  operation: RunningOperation,
  result: unknown,
  errorOf: (reply: unknown) => unknown,
): unknown {
  return (result as Promise<unknown>).then(
    (reply) => {
      operation.settle(errorOf(reply), reply);
      operation.end();
      return reply;
    },
    (error: unknown) => {
      operation.settle(error);
      operation.end();
      throw error;
    },
  );
}
