import type { EventEmitter } from 'node:events';

/* The parts of pg, pg-pool and their companions that are used, in all supported versions. */

/** A connection to one server. */
export interface PgClient {
  listenerCount?(event: string): number;
  connectionParameters?: {
    host?: string | null;
    port?: number;
    database?: string | null;
    options?: string | null;
  };
  connection?: { stream?: { remoteAddress?: string; remotePort?: number } };
  /** Queries that wait for the connection; `queryQueue` before 8.17, a deprecated getter since. */
  _queryQueue?: Submittable[];
  queryQueue?: Submittable[];
  /** The query under way, by its names since 8.17 and before. */
  _activeQuery?: Submittable | null;
  activeQuery?: Submittable | null;
  query(...args: unknown[]): unknown;
  _pulseQueryQueue(...args: unknown[]): unknown;
}

/** The protocol between a client and the objects it executes: queries, cursors, streams. */
export interface Submittable {
  text?: unknown;
  values?: unknown;
  /** The name of a prepared statement. */
  name?: unknown;
  submit(...args: unknown[]): unknown;
  /** The cursor inside a query stream: it gets all messages in the stream's place. */
  cursor?: Submittable;
  /** The error of a row that could not be parsed; reported at the end. */
  _canceledDueToError?: unknown;
  _results?: unknown;
}

/** The objects that `pg.native` executes. */
export interface NativeQuery {
  native?: { pq?: { resultErrorFields?(): NativeErrorFields | undefined } };
  callback?: (...results: unknown[]) => unknown;
  submit(client: { native?: NativeClient }): unknown;
  emit(event: string, ...args: unknown[]): boolean;
  handleError(error: unknown): unknown;
}

interface NativeErrorFields {
  sqlState?: string;
  messagePrimary?: string;
}

/** A client of pg-native; each client of `pg.native` has one. */
export interface NativeClient {
  query(...args: unknown[]): unknown;
  prepare(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
}

export interface PgPool extends EventEmitter {
  Client?: { prototype?: object };
  options?: { max?: number; min?: number };
  _clients?: PgClient[];
  _pendingQueue?: PendingItem[];
  readonly totalCount?: number;
  readonly idleCount?: number;
  readonly waitingCount?: number;
  connect(callback?: PoolCallback): unknown;
  query(...args: unknown[]): unknown;
  end(callback?: unknown): unknown;
  /** Opens a connection for a waiting call. */
  newClient(waiting: PendingItem): unknown;
  /** Passes a connection to a waiting call. */
  _acquireClient(client: PgClient, waiting: PendingItem, ...rest: unknown[]): unknown;
  _release(client: PgClient, idleListener: unknown, ...rest: unknown[]): unknown;
}

/** The pool's item for a call that waits for a connection. */
export interface PendingItem {
  callback: PoolCallback;
  /** Set when the pool gives up on it. */
  timedOut?: boolean;
}

export type PoolCallback = (error: unknown, client?: PgClient, release?: unknown) => void;
