import type { ModuleExports } from '../../module-hooks.ts';
import { OperationResource } from '../../../carry/operation-resource.ts';
import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { PatchableModule } from '../../patched-modules.ts';
import { attachWork, workOf } from '../../../carry/unit-of-work.ts';

/*
 * A call waits in lists of its channel until the name of the server is resolved, and until there is a
 * connection. What ends the wait is the work of whoever came first; the call goes on as its own caller's.
 */

const VERSIONS = '>=1.8 <2';

/** The classes of calls that wait, and the method that goes on with them once more. */
export const waitingCalls: readonly PatchableModule[] = [
  waiting('resolving-call', 'ResolvingCall', 'getConfig'),
  waiting('load-balancing-call', 'LoadBalancingCall', 'doPick'),
];

function waiting(file: string, name: string, method: string): PatchableModule {
  return {
    module: `@grpc/grpc-js/build/src/${file}`,
    versions: VERSIONS,
    patch: (exports: ModuleExports) => patch(exports?.[name]?.prototype as object, method),
  };
}

function patch(prototype: object | undefined, method: string): Undo | undefined {
  const table = prototype as Record<string, (...args: unknown[]) => unknown> | undefined;
  if (typeof table?.[method] !== 'function') return undefined;
  const release = reservePatch(table, 'wait');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(table, method, (original) => {
      return function (this: object, ...args: unknown[]): unknown {
        const caller = workOf<OperationResource>(this);
        if (caller !== undefined) return caller.run(original, this, ...args);
        // The first time it is called by the call's own `start`.
        // The context in which the call was started.
        attachWork(this, new OperationResource('grpc.call'));
        return original.apply(this, args);
      };
    }),
  ]);
}
