import type { EventEmitter } from 'node:events';

/* The parts of mariadb that are used, in all supported versions. */

/**
 * The arguments of a call, in an object of the library that is passed from the pool to the command.
 */
export interface CommandParameter {
  sql?: unknown;
  values?: unknown;
  opts?: { namedPlaceholders?: boolean } | null;
}

/**
 * Anything a connection executes. Its end is reported by `resolve` or `reject`, which is called
 * once.
 */
export interface Command extends EventEmitter {
  cmdParam?: CommandParameter | null;
  resolve?: ((result?: unknown) => unknown) | null;
  reject?: ((error?: unknown) => unknown) | null;
  /** For statements: the text as given, without the values. */
  sql?: unknown;
  initialValues?: unknown;
  opts?: { typeCast?: unknown; metaAsArray?: boolean };
  /** The prepared statement, for commands that execute one. */
  prepare?: object | null;
  /**
   * For commands that prepare: the command they prepare for, if that is already queued behind them.
   */
  executeCommand?: Command;
  /** The target of the rows, for commands that stream. */
  inStream?: EventEmitter;
  onPacketReceive?: unknown;
  start(...args: unknown[]): unknown;
  readResultSetRow?(...args: unknown[]): unknown;
  readOKPacket?(...args: unknown[]): unknown;
  readLocalInfile?(...args: unknown[]): unknown;
  _stream?(...args: unknown[]): EventEmitter;
}

interface Queue {
  toArray(): Command[];
}

export interface ConnectionOptions {
  host?: string;
  port?: number | string;
  socketPath?: string;
  database?: string;
}

export interface Connection extends EventEmitter {
  opts: ConnectionOptions;
  info?: {
    serverVersion?: { raw?: string; mariaDb?: boolean };
    database?: string;
  } | null;
  socket?: { remoteAddress?: string; remotePort?: number } | null;
  sendQueue?: Queue | null;
  receiveQueue?: Queue | null;
  waitingAuthenticationQueue?: Queue | null;
  /** For a pool's connection: returns it to the pool. */
  release?: (...args: unknown[]) => unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
  clear(): unknown;
  socketErrorDispatchToQueries(error: unknown): unknown;
  prepareExecute(cmdParam: CommandParameter, ...rest: unknown[]): unknown;
  prepare(
    cmdParam: CommandParameter,
    resolve: (statement?: unknown) => unknown,
    reject: unknown,
  ): unknown;
  batch(cmdParam: CommandParameter, ...rest: unknown[]): unknown;
  importFile(
    cmdParam: object,
    resolve: (result?: unknown) => unknown,
    reject: (error?: unknown) => unknown,
  ): unknown;
  addCommandQueue(command: Command, ...rest: unknown[]): unknown;
  addCommandEnable(command: Command, ...rest: unknown[]): unknown;
  addCommandEnablePipeline(command: Command, ...rest: unknown[]): unknown;
  addCommandDisabled(command: Command, ...rest: unknown[]): unknown;
  executeSessionVariableQuery(): unknown;
  handleCharset(): unknown;
  handleTimezone(): unknown;
  _setSessionTimezone(zone: unknown): unknown;
  checkServerVersion(): unknown;
  executeInitQuery(): unknown;
  executeSessionTimeout(): unknown;
}

export type PoolCallback = (error: unknown, connection?: Connection) => unknown;

/** The internal pool behind the user's pools. */
export interface Pool extends EventEmitter {
  opts: { connOptions: ConnectionOptions; connectionLimit?: number; minimumIdle?: number };
  activeConnections(): number;
  idleConnections(): number;
  taskQueueSize(): number;
  /** Returns a promise if it gets no callback, as before 3.5. */
  getConnection(
    cmdParam: CommandParameter,
    callback?: PoolCallback,
  ): Promise<Connection> | undefined;
  release(connection: Connection): unknown;
  /** Opens a connection: from 3.5 on, and before. */
  _createPoolConnection?(...args: unknown[]): unknown;
  _createConnection?(...args: unknown[]): unknown;
  _managePoolSize?(...args: unknown[]): unknown;
  _sizeHandler?(...args: unknown[]): unknown;
  /** Gives a connection to the longest waiting call; from 3.5 on. */
  _processNextPendingRequest?(): unknown;
}

/** The user's pool, with promises or with callbacks. */
/** The application's object for a connection. */
export interface UserConnection {
  query(...args: unknown[]): unknown;
  queryStream(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  batch(...args: unknown[]): unknown;
  importFile(...args: unknown[]): unknown;
}

export interface UserPool extends EventEmitter {
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  batch(...args: unknown[]): unknown;
  end(callback?: unknown): unknown;
}

export interface Cluster extends EventEmitter {
  getConnection(...args: unknown[]): Promise<unknown> | undefined;
  _handleConnectionError(...args: unknown[]): unknown;
  _handleConnectionCallbackError(...args: unknown[]): unknown;
}

/** The part of a cluster that a pattern selects; it can be queried like a pool. */
export interface FilteredCluster {
  getConnection(callback?: unknown): unknown;
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  batch(...args: unknown[]): unknown;
}

export interface UserCluster {
  of(pattern: string): FilteredCluster;
}

/** The package itself, which has factories and no classes. */
export interface Factories {
  createConnection(options: object): unknown;
  createPool(options: object): UserPool;
  createPoolCluster(options: object): UserCluster;
}
