/* What is used of mysql2, as far as all supported versions have it. */

/** What a connection was configured with. */
export interface ConnectionConfig {
  host?: string;
  port?: number | string;
  socketPath?: string;
  database?: string;
  /** The pool it is for. */
  pool?: { config: { connectionConfig?: ConnectionConfig } };
}

/** Anything a connection executes: queries, prepared statements, pings. */
export interface Command {
  sql?: unknown;
  values?: unknown;
  /** Called with the result; events are emitted where there is none. */
  onResult?: ResultCallback | undefined;
  /** The caller's arguments in an object of the library's; `sql` gets the values written into it. */
  _queryOptions?: { sql?: unknown; values?: unknown };
  /** The statement that is executed, once it is prepared. */
  statement?: { query?: unknown };
  emit(event: string, ...args: unknown[]): boolean;
  /** Takes the next packet. */
  execute(...args: unknown[]): unknown;
}

export type ResultCallback = (this: unknown, error?: unknown, ...results: unknown[]) => unknown;

export interface Queue<Item> {
  readonly length: number;
  get?(index: number): Item | undefined;
  peekAt?(index: number): Item | undefined;
}

export interface Connection {
  config: ConnectionConfig;
  stream?: { remoteAddress?: string; remotePort?: number };
  _handshakePacket?: { serverVersion?: string } | null;
  _command?: Command | null;
  _commands?: Queue<Command>;
  addCommand(command: Command): unknown;
  /** Takes the place of `addCommand` once the connection is closed. */
  _addCommandClosedState(command: Command): unknown;
  execute(...args: unknown[]): unknown;
  connect(callback?: unknown): unknown;
  close(): unknown;
  _notifyError(error: unknown): unknown;
}

export interface Pool {
  config: {
    connectionConfig?: ConnectionConfig;
    connectionLimit?: number;
    maxIdle?: number;
  };
  _allConnections?: { readonly length: number };
  _freeConnections?: { readonly length: number };
  _connectionQueue?: { readonly length: number };
  getConnection(callback?: unknown): unknown;
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  releaseConnection(connection: Connection): unknown;
  end(callback?: unknown): unknown;
}

/** The part of a cluster that a pattern selects; it queries as a pool does. */
export interface PoolNamespace {
  _cluster?: { _nodes?: Record<string, { pool?: Pool }> };
  getConnection(callback?: unknown): unknown;
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
}

export interface PoolCluster {
  of(...args: unknown[]): PoolNamespace;
  end(callback?: unknown): unknown;
}
