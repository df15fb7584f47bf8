/* What is used of postgres.js, as far as all supported versions have it. */

/** A query that starts when it is first asked for its result, or a piece of another one. */
export interface PostgresQuery {
  executed: boolean;
  /** Whether a connection is busy with it, and not with one before it. */
  active?: boolean;
  readonly tagged: boolean;
  /** The text around `args`; the template's own object where it is tagged. */
  strings: readonly string[];
  readonly args: readonly unknown[];
  /** One function for all queries of an instance; none for what the client asks for itself. */
  readonly canceller?: object | null;
  readonly options: { simple?: boolean; prepare?: boolean };
  /** The statement, which the client puts together when there is a connection. */
  string?: string;
  resolve: (value: unknown) => unknown;
  reject: (error: unknown) => unknown;
  /** Hands it over to a connection, or to the queue for one. */
  handler: (query: PostgresQuery) => unknown;
  handle(): unknown;
  forEach(listener: unknown): unknown;
  cursor(rows?: unknown, listener?: unknown): unknown;
}

/** What `postgres()` returns: a tag for queries, with methods. */
export interface PostgresSql {
  (first: unknown, ...rest: unknown[]): unknown;
  unsafe(text: string): PostgresQuery;
  file(path: string): PostgresQuery;
  typed(value: unknown, type: number): unknown;
  readonly options: PostgresOptions;
  /** Holds the instance that listens, once somebody does. */
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

/** A stream of the client's: what a COPY reads or writes. */
export interface CopyStream {
  emit: (this: CopyStream, event: string | symbol, ...args: unknown[]) => boolean;
  readonly readable?: boolean;
  readonly writable?: boolean;
}
