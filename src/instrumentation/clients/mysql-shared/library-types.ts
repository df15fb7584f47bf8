import type { EventEmitter } from 'node:events';

/* What `mysql` and `mysql2` have in common, as far as it is used. */

/** The configuration of a connection. */
export interface ConnectionConfig {
  host?: string;
  port?: number | string;
  socketPath?: string;
  database?: string;
  /** The pool it is for. */
  pool?: { config: { connectionConfig?: ConnectionConfig } };
}

/** A connection of a pool; each library has its own class. */
export interface PooledConnection {
  config: ConnectionConfig;
}

export type ResultCallback = (this: unknown, error?: unknown, ...results: unknown[]) => unknown;

/** An array, or a queue that is read by index. */
export interface Connections {
  readonly length: number;
  get?(index: number): PooledConnection | undefined;
  peekAt?(index: number): PooledConnection | undefined;
}

export interface Pool extends EventEmitter {
  config: {
    connectionConfig?: ConnectionConfig;
    connectionLimit?: number;
    maxIdle?: number;
  };
  _allConnections?: Connections;
  _freeConnections?: { readonly length: number };
  _connectionQueue?: { readonly length: number };
  getConnection(callback?: unknown): unknown;
  acquireConnection?(connection: PooledConnection, callback: object): unknown;
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  releaseConnection(connection: PooledConnection): unknown;
  end(callback?: unknown): unknown;
}

/** The part of a cluster that a pattern selects; it can be queried like a pool. */
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
