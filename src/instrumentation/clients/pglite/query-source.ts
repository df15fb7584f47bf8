import { AsyncLocalStorage } from 'node:async_hooks';

import { CallScope } from '../../../carry/call-scope.ts';
import { reservePatch, ownerOf, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { PendingOperation } from '../../pending-operation.ts';
import { describeQuery, endpointOf, readTemplate } from './attributes.ts';
import { patchListeners } from './listener-source.ts';
import type { PGlite, PGliteTransaction } from './library-types.ts';

/*
 * `ownQuery` is set while the database runs a query for its own purposes. `transactions` follows
 * the code of a transaction in the database's class, which issues BEGIN and COMMIT through
 * `_runExclusiveQuery`; the statements of the user's callback take the same path, and `issuing`
 * tells them apart.
 */
const ownQuery = new CallScope<true>();
const issuing = new CallScope<true>();
const transactions = new AsyncLocalStorage<{ next: string }>();

/** Patches the class of databases. */
export function patchDatabase(Db: { prototype: PGlite }, recorder: Recorder): Undo | undefined {
  const { prototype } = Db;
  const release = reservePatch(prototype, 'pglite');
  if (!release) return undefined;
  // Most methods belong to the class that it extends.
  const base = ownerOf(prototype, 'query') as PGlite;
  return undoAll([
    release,
    patchListeners(prototype),
    patchMethod(base, 'query', (original) => {
      return function query(...args) {
        if (ownQuery.current) return original.apply(this, args);
        return recorded(this, recorder, args[0], args[1], () => original.apply(this, args));
      };
    }),
    ...(['exec', 'describeQuery'] as const).map((key) =>
      patchMethod(base, key, (original) => {
        return function execute(...args) {
          return recorded(this, recorder, args[0], undefined, () => original.apply(this, args));
        };
      }),
    ),
    patchMethod(base, 'transaction', (original) => transactionOf(original, recorder)),
    patchMethod(prototype, '_runExclusiveQuery', (original) => {
      return function _runExclusiveQuery(statement) {
        const transaction = issuing.current ? undefined : transactions.getStore();
        const run = () => original.call(this, statement);
        if (!transaction) return run();
        return recorded(this, recorder, transaction.next, undefined, run);
      };
    }),
    patchMethod(base, '_initArrayTypes', (original) => {
      return function _initArrayTypes(...args) {
        // The query is issued before the first wait.
        return ownQuery.run(true, () => original.apply(this, args));
      };
    }),
  ]);
}

function transactionOf(
  original: PGlite['transaction'],
  recorder: Recorder,
): (this: PGlite, callback: (transaction: PGliteTransaction) => unknown) => Promise<unknown> {
  return function transaction(callback) {
    if (typeof callback !== 'function') return original.call(this, callback);
    const state = { next: 'BEGIN' };
    const inTransaction = async (given: PGliteTransaction): Promise<unknown> => {
      patchTransaction(given, this, recorder);
      state.next = 'ROLLBACK';
      const result = await transactions.exit(() => callback(given));
      state.next = 'COMMIT';
      return result;
    };
    return transactions.run(state, () => original.call(this, inTransaction));
  };
}

/** Patches the argument of a transaction's callback, which lives no longer than the callback. */
function patchTransaction(given: PGliteTransaction, db: PGlite, recorder: Recorder): void {
  const issue = (text: unknown, values: unknown, run: () => Promise<unknown>) =>
    recorded(db, recorder, text, values, () => issuing.run(true, run));
  patchMethod(given, 'query', (original) => (...args) => {
    return issue(args[0], args[1], () => original.apply(given, args));
  });
  patchMethod(given, 'sql', (original) => (strings, ...args) => {
    const { text, values } = readTemplate(strings, args);
    return issue(text, values, () => original.call(given, strings, ...args));
  });
  patchMethod(given, 'exec', (original) => (...args) => {
    return issue(args[0], undefined, () => original.apply(given, args));
  });
  patchMethod(given, 'rollback', (original) => () => {
    return issue('ROLLBACK', undefined, () => original.call(given));
  });
}

/**
 * Records the outcome of the promise of `run`. Promises keep their callers' contexts by themselves.
 */
function recorded(
  db: PGlite,
  recorder: Recorder,
  text: unknown,
  values: unknown,
  run: () => Promise<unknown>,
): Promise<unknown> {
  if (!recorder.isListening) return run();
  const operation = new PendingOperation('PGLITE_QUERY');
  operation.record(recorder, describeQuery(endpointOf(db), text, values));
  return operation.recording ? settling(operation, run()) : run();
}

/**
 * Returns a new promise for a query, since its end cannot be observed in any other place. The
 * original promise is handled here, so an unhandled rejection is still reported once.
 */
async function settling(operation: PendingOperation, promise: Promise<unknown>): Promise<unknown> {
  try {
    const result = await promise;
    operation.settle(undefined, result);
    return result;
  } catch (error) {
    operation.settle(error);
    throw error;
  } finally {
    operation.end();
  }
}
