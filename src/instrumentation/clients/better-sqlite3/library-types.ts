/* The parts of better-sqlite3 that are used, in all supported versions. */

export interface Database {
  readonly name: string;
  prepare(text: string): Statement;
  exec(text: string): unknown;
  transaction(fn: unknown): unknown;
}

export interface Statement {
  /** The text it was prepared from. */
  readonly source: string;
  readonly database: Database;
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown;
  iterate(...values: unknown[]): unknown;
}
