/* What is used of node:sqlite, as far as all supported Nodes have it. */

export interface NodeSqlite {
  DatabaseSync: { prototype: DatabaseSync };
  StatementSync: { prototype: StatementSync };
}

export interface DatabaseSync {
  /** The path of the file; missing on the oldest Nodes, and `null` in memory. */
  location?(): string | null;
  prepare(text: string, ...rest: unknown[]): StatementSync;
  exec(text: string): void;
  /** From Node 24.9 on. */
  createTagStore?(...args: unknown[]): SqlTagStore;
}

export interface StatementSync {
  readonly sourceSQL: string;
}

/** Statements by their templates. */
export interface SqlTagStore {
  readonly db: DatabaseSync;
}
