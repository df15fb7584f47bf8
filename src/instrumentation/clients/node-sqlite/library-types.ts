/* The parts of node:sqlite that are used, in all supported Nodes. */

export interface NodeSqlite {
  DatabaseSync: { prototype: DatabaseSync };
  StatementSync: { prototype: StatementSync };
}

export interface DatabaseSync {
  /**
   * The path of the file; missing on the oldest versions of Node, and `null` for a database in
   * memory.
   */
  location?(): string | null;
  prepare(text: string, ...rest: unknown[]): StatementSync;
  exec(text: string): void;
  /** Since Node 24.9. */
  createTagStore?(...args: unknown[]): SqlTagStore;
}

export interface StatementSync {
  readonly sourceSQL: string;
}

/** The statements by template. */
export interface SqlTagStore {
  readonly db: DatabaseSync;
}
