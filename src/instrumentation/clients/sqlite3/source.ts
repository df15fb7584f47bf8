import { CallScope } from '../../../carry/call-scope.ts';
import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { bindCallback, PendingOperation } from '../../pending-operation.ts';
import { describeStatement, endpointOf, valuesOf } from '../sqlite/attributes.ts';
import { hasCallback, withCallback, withRowCallbacks } from './callbacks.ts';
import type { Database, Method, Sqlite3, Statement } from './library-types.ts';

/*
 * Every call is an operation, whose callback is called from a thread of the pool. A method of a
 * database makes a statement and calls the statement's method of the same name: `issuing` is set
 * for that moment. `pending` holds the calls of a statement, because a statement that cannot be
 * prepared drops them silently; `databases` is set by `prepare`. Entries are collected with their
 * statement.
 */
const issuing = new CallScope<Issued>();
const pending = new WeakMap<Statement, Set<PendingOperation>>();
const databases = new WeakMap<Statement, Database>();

interface Issued {
  operation: PendingOperation;
  statement?: Statement;
}

const EXECUTING = ['run', 'get', 'all', 'map', 'each'] as const;

/** Patches databases, statements and backups. */
export function patchModule(exports: Sqlite3, recorder: Recorder): Undo | undefined {
  const database = exports.Database.prototype as Database;
  const statement = exports.Statement.prototype;
  const release = reservePatch(database, 'sqlite3');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(exports, 'Database', withBoundCallback as never),
    exports.cached && patchMethod(exports.cached, 'Database', withBoundCallback as never),
    ...EXECUTING.map((key) =>
      patchHotMethod(database, key, (it, patch) => issue(key, it, patch, recorder)),
    ),
    ...EXECUTING.map((key) =>
      patchHotMethod(statement, key, (it, patch) => execute(key, it, patch, recorder)),
    ),
    patchMethod(database, 'exec', (original) => exec(original, recorder)),
    patchMethod(database, 'prepare', prepare),
    patchMethod(statement, 'emit', (original) => {
      return function emit(event, ...args) {
        if (event === 'error' && !telling.current) fail(this, args[0]);
        return original.call(this, event, ...args);
      };
    }),
    ...(['close', 'wait', 'loadExtension'] as const).map((key) =>
      patchMethod(database, key, withBoundCallback),
    ),
    ...(['bind', 'reset', 'finalize'] as const).map((key) =>
      patchMethod(statement, key, withBoundCallback),
    ),
    ...(['step', 'finish'] as const).map((key) =>
      patchMethod(exports.Backup.prototype, key, withBoundCallback),
    ),
  ]);
}

type MethodOn<Target> = (this: Target, ...args: unknown[]) => unknown;

/** A method that may have a callback at the end, which is then called in its caller's context. */
function withBoundCallback<Target>(original: MethodOn<Target>): MethodOn<Target> {
  return function bound(...args) {
    if (hasCallback(args)) args.push(bindCallback('SQLITE3', args.pop() as Method));
    return new.target
      ? (Reflect.construct(original, args, new.target) as unknown)
      : original.apply(this, args);
  };
}

/** A method of a database that makes a statement from its first argument. */
function issue(
  key: (typeof EXECUTING)[number],
  original: MethodOn<Database>,
  patch: PatchState,
  recorder: Recorder,
): MethodOn<Database> {
  return function issued(text, ...args) {
    if (patch.isUndone || (key === 'map' && !hasCallback(args))) {
      return original.call(this, text, ...args);
    }
    const operation = start(this, text, args, recorder);
    const call: Issued = { operation };
    const wrap = key === 'each' ? withRowCallbacks : withCallback;
    const outer = issuing.enter(call);
    try {
      return original.call(this, text, ...wrap(args, operation, () => errorsOf(call.statement)));
    } catch (error) {
      operation.settle(error);
      operation.end();
      throw error;
    } finally {
      issuing.leave(outer);
    }
  };
}

function execute(
  key: (typeof EXECUTING)[number],
  original: MethodOn<Statement>,
  patch: PatchState,
  recorder: Recorder,
): MethodOn<Statement> {
  return function executed(...args) {
    if (patch.isUndone) return original.apply(this, args);
    const issued = issuing.current;
    if (issued) {
      issued.statement = this;
      // Methods that it calls in turn, as `map` calls `all`, belong to the same operation. If the
      // statement of a database's method cannot be prepared, that is reported to the added
      // callback.
      return original.apply(this, args);
    }
    if (key === 'map' && !hasCallback(args)) return original.apply(this, args);
    const operation = start(databases.get(this), this.sql, args, recorder);
    waitFor(this, operation);
    const wrap = key === 'each' ? withRowCallbacks : withCallback;
    const outer = issuing.enter({ operation, statement: this });
    try {
      return original.apply(
        this,
        wrap(args, operation, () => errorsOf(this)),
      );
    } catch (error) {
      operation.settle(error);
      operation.end();
      throw error;
    } finally {
      issuing.leave(outer);
    }
  };
}

function exec(original: MethodOn<Database>, recorder: Recorder): MethodOn<Database> {
  return function exec(text, ...args) {
    const operation = start(this, text, [], recorder);
    try {
      return original.call(this, text, ...withCallback(args, operation, () => this));
    } catch (error) {
      operation.settle(error);
      operation.end();
      throw error;
    }
  };
}

function prepare(original: Database['prepare']): Database['prepare'] {
  return function prepare(this: Database, text, ...args) {
    let statement: Statement | undefined;
    if (hasCallback(args)) {
      const callback = bindCallback('SQLITE3', args.pop() as Method);
      args.push(function prepared(this: unknown, ...results: unknown[]): unknown {
        if (results[0] && statement) fail(statement, results[0]);
        return callback.apply(this, results);
      });
    }
    statement = original.call(this, text, ...args);
    databases.set(statement, this);
    return statement;
  };
}

function start(
  db: Database | undefined,
  text: unknown,
  args: readonly unknown[],
  recorder: Recorder,
): PendingOperation {
  const operation = new PendingOperation('SQLITE3');
  if (recorder.isListening) {
    const endpoint = endpointOf(db, () => db?.filename);
    const values = valuesOf(args.filter((arg) => typeof arg !== 'function'));
    operation.record(recorder, describeStatement(endpoint, text, values));
  }
  return operation;
}

function waitFor(statement: Statement, operation: PendingOperation): void {
  const operations = pending.get(statement) ?? new Set();
  for (const one of operations) if (one.ended) operations.delete(one);
  pending.set(statement, operations.add(operation));
}

/**
 * Reports the error of an operation without a callback. A statement itself only reports that it
 * could not be prepared.
 */
function errorsOf(statement: Statement | undefined): Pick<Statement, 'emit'> | undefined {
  return (
    statement && {
      emit: (event, error) => telling.run(true, () => statement.emit(event, error)),
    }
  );
}
/** Set while an error of one operation is emitted, which does not fail any other. */
const telling = new CallScope<true>();

/** All calls of a statement fail with it. */
function fail(statement: Statement, error: unknown): void {
  for (const operation of pending.get(statement) ?? []) {
    operation.settle(error);
    operation.end();
  }
}
