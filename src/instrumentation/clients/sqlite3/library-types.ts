/* The parts of sqlite3 that are used, in all supported versions. */

export interface Sqlite3 {
  Database: new (...args: unknown[]) => Database;
  Statement: { prototype: Statement };
  Backup: { prototype: Backup };
  cached?: { Database: (...args: unknown[]) => Database };
}

export type Method = (...args: unknown[]) => unknown;

export interface Database {
  readonly filename?: string;
  prepare(text: unknown, ...args: unknown[]): Statement;
  exec: Method;
  /** The methods below make a statement, run it and finalize it. */
  run: Method;
  get: Method;
  all: Method;
  each: Method;
  map: Method;
  close: Method;
  wait: Method;
  loadExtension: Method;
  emit(event: string, ...args: unknown[]): boolean;
}

export interface Statement {
  readonly sql?: string;
  run: Method;
  get: Method;
  all: Method;
  each: Method;
  map: Method;
  bind: Method;
  reset: Method;
  finalize: Method;
  emit(event: string, ...args: unknown[]): boolean;
}

export interface Backup {
  step: Method;
  finish: Method;
}
