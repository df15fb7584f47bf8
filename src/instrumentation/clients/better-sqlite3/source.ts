import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { describeStatement, endpointOf, valuesOf } from '../sqlite/attributes.ts';
import { recordCalls, recordIterators } from '../sqlite/synchronous-source.ts';
import type { Database, Statement } from './library-types.ts';

/** Patches the class of databases, and that of statements once the first statement exists. */
export function patchDatabase(Db: { prototype: Database }, recorder: Recorder): Undo | undefined {
  const { prototype } = Db;
  const release = reservePatch(prototype, 'better-sqlite3');
  if (!release) return undefined;
  const undos: Undo[] = [];
  const saw = (statement: Statement): void => {
    const undo = patchStatement(Object.getPrototypeOf(statement) as Statement, recorder);
    if (undo) undos.push(undo);
  };
  return undoAll([
    release,
    () => undoAll(undos.splice(0))(),
    recordCalls(prototype, ['exec'], recorder, (db, [text]) => describeStatement(nameOf(db), text)),
    patchMethod(prototype, 'prepare', (original) => {
      return function prepare(...args) {
        const statement = original.apply(this, args);
        saw(statement);
        return statement;
      };
    }),
    ...(['transaction', 'pragma'] as const).map((key) =>
      patchMethod(prototype as Database & { pragma(source: unknown): unknown }, key, (original) => {
        return function usesStatements(this: Database, ...args: [unknown]) {
          // They execute statements that they prepare elsewhere.
          try {
            if (undos.length === 0) saw(this.prepare('SELECT 1'));
          } catch {
            // The database is closed, which it reports itself.
          }
          return original.apply(this as never, args);
        };
      }),
    ),
  ]);
}

function patchStatement(prototype: Statement, recorder: Recorder): Undo | undefined {
  const release = reservePatch(prototype, 'better-sqlite3 statement');
  if (!release) return undefined;
  const describe = ({ source, database }: Statement, args: readonly unknown[]) =>
    describeStatement(nameOf(database), source, valuesOf(args));
  return undoAll([
    release,
    recordCalls(prototype, ['run', 'get', 'all'], recorder, describe),
    recordIterators(prototype, 'iterate', recorder, describe),
  ]);
}

const nameOf = (db: Database) => endpointOf(db, () => db.name);
