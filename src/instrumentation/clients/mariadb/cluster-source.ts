import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { plainProperty } from '../../plain-property.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { bindCallback, finishing, PendingOperation } from '../../pending-operation.ts';
import { tryWrap } from '../../wrap.ts';
import { selecting } from './call-scopes.ts';
import { ANY_ENDPOINT, batchSizeOf, describeStatement } from './attributes.ts';
import type { Cluster, FilteredCluster } from './library-types.ts';

/*
 * Records one operation for a query of a cluster, which gets a connection from one of its pools and
 * queries that. The operation is passed on while the call is on the stack, and from one pool to the
 * next if one has no connection.
 */

/** Patches the class of clusters that both kinds of clusters use. */
export function patchCluster(prototype: Cluster): Undo | undefined {
  const release = reservePatch(prototype, 'mariadb cluster');
  if (!release) return undefined;
  return undoAll([
    release,
    tryWrap(prototype, { kind: 'emitter', module: 'mariadb' }),
    patchMethod(prototype, 'getConnection', (original) => {
      return function getConnection(...args) {
        const operation = selecting.current;
        const promise = original.apply(this, args);
        // The library's own promise, from which it derives the one it returns to the user.
        if (operation && promise) promise.then(undefined, (error) => fail(operation, error));
        return promise;
      };
    }),
    patchMethod(prototype, '_handleConnectionError', retryingFor),
    patchMethod(prototype, '_handleConnectionCallbackError', retryingFor),
  ]);
}

function fail(operation: PendingOperation, error: unknown): void {
  operation.settle(error);
  operation.end();
}

/** The third argument, if present, makes it try another pool. */
function retryingFor<This, Result>(
  original: (this: This, ...args: unknown[]) => Result,
): (this: This, ...args: unknown[]) => Result {
  return function handleConnectionError(...args) {
    const operation = selecting.current;
    const retry = args[2];
    if (!operation || typeof retry !== 'function') return original.apply(this, args);
    const retried = (...again: unknown[]): unknown =>
      selecting.run(operation, () => Reflect.apply(retry, undefined, again) as unknown);
    return original.apply(this, args.with(2, retried));
  };
}

/** Patches the class of the selections of clusters. */
export function patchFilteredCluster(
  prototype: FilteredCluster,
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'mariadb filtered cluster');
  if (!release) return undefined;
  return undoAll([
    release,
    ...(['query', 'execute', 'batch'] as const).map((name) =>
      patchMethod(prototype, name, (original) => queryOf(original, name, recorder)),
    ),
    patchMethod(prototype, 'getConnection', (original) => {
      return function getConnection(callback) {
        const operation = selecting.current;
        if (typeof callback !== 'function') return original.call(this, callback);
        const told = callback as (...args: unknown[]) => unknown;
        const bound = bindCallback('MARIADB_CLUSTER_CONNECTION', told);
        return original.call(this, (...args: unknown[]) => {
          if (operation && args[0]) fail(operation, args[0]);
          return bound(...args);
        });
      };
    }),
  ]);
}

type Method = (this: FilteredCluster, ...args: unknown[]) => unknown;

function queryOf(original: Method, name: string, recorder: Recorder): Method {
  return function query(...args) {
    const described = describe(args, name === 'batch');
    const index = args.findIndex((arg) => typeof arg === 'function');
    const callback = args[index] as (() => unknown) | undefined;
    if (!described.text || (name === 'batch' && !described.values)) {
      // Refused: no command will report it.
      const bound = callback && bindCallback('MARIADB_CLUSTER_QUERY', callback);
      return original.apply(this, bound ? args.with(index, bound) : args);
    }
    const operation = new PendingOperation('MARIADB_CLUSTER_QUERY');
    if (recorder.isListening) operation.record(recorder, described);
    const given = callback ? args.with(index, finishing(operation, callback)) : args;
    return selecting.run(operation, () => original.apply(this, given));
  };
}

function describe(
  [statement, given]: unknown[],
  isBatch: boolean,
): ReturnType<typeof describeStatement> {
  const isObject = typeof statement === 'object' && statement !== null;
  const sql = isObject ? plainProperty(statement, 'sql') : statement;
  const beside = typeof given === 'function' ? undefined : given;
  const values = (isObject ? plainProperty(statement, 'values') : undefined) ?? beside;
  const described = describeStatement(ANY_ENDPOINT, { sql, values });
  return isBatch ? { ...described, batchSize: batchSizeOf({ values }) } : described;
}
