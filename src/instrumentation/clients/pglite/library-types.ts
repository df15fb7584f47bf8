/* The parts of PGlite that are used, in all supported versions. */

export interface PGlite {
  readonly ready: boolean;
  readonly Module?: { ENV?: { PGDATABASE?: string } };
  query(text: string, values?: unknown, options?: unknown): Promise<unknown>;
  exec(text: string, options?: unknown): Promise<unknown>;
  describeQuery(text: string, options?: unknown): Promise<unknown>;
  transaction(callback: (transaction: PGliteTransaction) => unknown): Promise<unknown>;
  listen(channel: string, callback: Listener, ...rest: unknown[]): Promise<unknown>;
  unlisten(channel: string, callback?: Listener, ...rest: unknown[]): Promise<unknown>;
  onNotification(callback: Listener): () => void;
  offNotification(callback: Listener): void;
  /** Queries the types of arrays, once the database is ready. */
  _initArrayTypes(...args: unknown[]): Promise<unknown>;
  /** Runs one statement after the other. */
  _runExclusiveQuery(statement: () => Promise<unknown>): Promise<unknown>;
}

export type Listener = (...args: unknown[]) => unknown;

/** The argument of a transaction's callback: a separate object. */
export interface PGliteTransaction {
  query(text: string, values?: unknown, options?: unknown): Promise<unknown>;
  sql(strings: TemplateStringsArray, ...values: unknown[]): Promise<unknown>;
  exec(text: string, options?: unknown): Promise<unknown>;
  rollback(): Promise<unknown>;
}

/** A piece of a statement in a template, of the package's own template helpers. */
export interface TemplatePiece {
  _templateType?: 'part' | 'container';
  str?: string;
  strings?: readonly string[];
  values?: readonly unknown[];
}
