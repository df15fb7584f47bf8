/* The parts of postgres.js that are used, in all supported versions. */

/** A query that starts when its result is first requested, or a fragment of another one. */
export interface PostgresQuery {
  executed: boolean;
  /** Whether a connection is running it, and not an earlier one. */
  active?: boolean;
  readonly tagged: boolean;
  /** The text around `args`; for a tagged template, the template's own object. */
  strings: readonly string[];
  readonly args: readonly unknown[];
  /** One function for all queries of an instance; not set on the client's own queries. */
  readonly canceller?: object | null;
  readonly options: { simple?: boolean; prepare?: boolean };
  /** The statement, which the client builds when there is a connection. */
  string?: string;
  resolve: (value: unknown) => unknown;
  reject: (error: unknown) => unknown;
  /** Passes it to a connection, or to the queue for one. */
  handler: (query: PostgresQuery) => unknown;
  handle(): unknown;
  forEach(listener: unknown): unknown;
  cursor(rows?: unknown, listener?: unknown): unknown;
}

/** The result of `postgres()`: a tag for queries, with methods. */
export interface PostgresSql {
  (first: unknown, ...rest: unknown[]): unknown;
  unsafe(text: string): PostgresQuery;
  file(path: string): PostgresQuery;
  typed(value: unknown, type: number): unknown;
  readonly options: PostgresOptions;
  /** Holds the listening instance, once there is a listener. */
  listen: ((name: string, listener: unknown, onListen?: unknown) => unknown) & {
    sql?: PostgresSql;
  };
  end(...args: unknown[]): unknown;
  close(...args: unknown[]): unknown;
  subscribe(event: string, listener: unknown, onSubscribe?: unknown, onError?: unknown): unknown;
}

/** The options of an instance, as the client read them. */
export interface PostgresOptions {
  host?: readonly string[];
  port?: readonly number[];
  path?: string | false;
  database?: string;
  max?: number;
  prepare?: boolean;
  connection?: Record<string, unknown>;
}

/** The module: `postgres(url, options)` or `postgres(options)`. */
export type Postgres = (first?: unknown, second?: unknown) => PostgresSql;

/** A stream of the client, which a COPY reads or writes. */
export interface CopyStream {
  emit: (this: CopyStream, event: string | symbol, ...args: unknown[]) => boolean;
  readonly readable?: boolean;
  readonly writable?: boolean;
}
