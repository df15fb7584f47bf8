import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeStatement, endpointOf, valuesOf } from '../sqlite/attributes.ts';
import { recordCalls, recordIterators } from '../sqlite/synchronous-source.ts';
import type { DatabaseSync, NodeSqlite, SqlTagStore, StatementSync } from './library-types.ts';

/** The database of each statement, set by `prepare`; an entry is collected with its statement. */
const databases = new WeakMap<StatementSync, DatabaseSync>();

/**
 * Patches databases, statements, and stores of statements, whose class is known once the first one
 * exists.
 */
export function patchModule(
  { DatabaseSync, StatementSync }: NodeSqlite,
  recorder: Recorder,
): Undo | undefined {
  const database = DatabaseSync.prototype;
  const release = reservePatch(database, 'node:sqlite');
  if (!release) return undefined;
  const undos: Undo[] = [];
  const describe = (statement: StatementSync, args: readonly unknown[]) =>
    describeStatement(nameOf(databases.get(statement)), statement.sourceSQL, valuesOf(args));
  return undoAll([
    release,
    () => undoAll(undos.splice(0))(),
    recordCalls(database, ['exec'], recorder, (db, [text]) => describeStatement(nameOf(db), text)),
    patchMethod(database, 'prepare', (original) => {
      return function prepare(...args) {
        const statement = original.apply(this, args);
        databases.set(statement, this);
        return statement;
      };
    }),
    recordCalls(StatementSync.prototype, ['run', 'get', 'all'], recorder, describe),
    recordIterators(StatementSync.prototype, 'iterate', recorder, describe),
    patchMethod(database as Required<DatabaseSync>, 'createTagStore', (original) => {
      return function createTagStore(...args) {
        const store = original.apply(this, args);
        const undo = patchStore(Object.getPrototypeOf(store) as SqlTagStore, recorder);
        if (undo) undos.push(undo);
        return store;
      };
    }),
  ]);
}

function patchStore(prototype: SqlTagStore, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'node:sqlite store');
  if (!release) return undefined;
  const describe = ({ db }: SqlTagStore, [strings, ...values]: readonly unknown[]) =>
    describeStatement(nameOf(db), (strings as string[]).join('?'), values);
  return undoAll([
    release,
    recordCalls(prototype, ['run', 'get', 'all'], recorder, describe),
    recordIterators(prototype, 'iterate', recorder, describe),
  ]);
}

const nameOf = (db: DatabaseSync | undefined) => endpointOf(db, () => db?.location?.());
