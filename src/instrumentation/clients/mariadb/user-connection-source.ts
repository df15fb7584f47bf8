import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { recordThrown } from '../../thrown-calls.ts';
import { ANY_ENDPOINT, describeStatement } from './attributes.ts';
import type { UserConnection } from './library-types.ts';

/*
 * The application's object for a connection passes its calls on, and throws if it cannot: `query()`
 * without a statement, for example. The objects behind it do not notice that.
 */
const METHODS = ['query', 'queryStream', 'execute', 'batch', 'importFile'] as const;

/** Patches a class of the user's connections, once it is known. */
export function patchUserConnection(
  found: Promise<UserConnection | undefined>,
  recorder: Recorder,
): Undo {
  let undo: Undo | undefined;
  let isUndone = false;
  void found.then((prototype) => {
    const release =
      prototype && !isUndone ? reservePatch(prototype, 'mariadb user connection') : undefined;
    if (release) undo = undoAll([release, recordThrownBy(prototype!, METHODS, recorder)]);
  });
  return () => {
    isUndone = true;
    undo?.();
  };
}

/** Records the calls of `methods` that throw. */
export function recordThrownBy<Name extends string>(
  prototype: Record<Name, (...args: unknown[]) => unknown>,
  methods: readonly Name[],
  recorder: Recorder,
): Undo {
  return undoAll(
    methods.map((name) =>
      patchMethod(
        prototype as Record<string, (...args: unknown[]) => unknown>,
        name,
        (original) => {
          return function call(this: unknown, ...args: unknown[]) {
            try {
              return original.apply(this as never, args);
            } catch (error) {
              recordThrown(recorder, () => describeStatement(ANY_ENDPOINT, {}), error);
              throw error;
            }
          };
        },
      ),
    ),
  );
}
