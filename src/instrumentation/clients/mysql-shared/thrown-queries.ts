import type { PatchState } from '../../../base/patch.ts';
import type { Endpoint } from '../../recorder/endpoint.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { recordThrown } from '../../thrown-calls.ts';
import { describeStatement } from './attributes.ts';

type Query<This> = (this: This, ...args: unknown[]) => unknown;

/**
 * Records a connection's `query` if it throws. Otherwise it is recorded where its commands are
 * observed.
 */
export function queryOf<This>(
  original: Query<This>,
  patch: PatchState,
  recorder: Recorder,
  endpointOf: (this: void, connection: This) => Endpoint,
): Query<This> {
  return function query(...args) {
    try {
      // Calling it by `apply` costs more, as a stack trace is captured in it.
      if (args.length === 2) return original.call(this, args[0], args[1]);
      if (args.length === 3) return original.call(this, args[0], args[1], args[2]);
      return original.apply(this, args);
    } catch (error) {
      if (!patch.isUndone) {
        recordThrown(
          recorder,
          () => describeStatement(endpointOf(this), args[0], undefined),
          error,
        );
      }
      throw error;
    }
  };
}
