import type { Pool, PoolCluster, PooledConnection } from '../mysql-shared/library-types.ts';

/* The parts of mysql that are used, in all supported versions. */

/** Anything a connection executes: queries, pings, the handshake. Its end is reported by `end`. */
export interface Sequence {
  /** For queries: the statement, into which the values get written. */
  sql?: unknown;
  values?: unknown;
  typeCast?: unknown;
  _callback?: unknown;
  end(error?: unknown, ...results: unknown[]): unknown;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  _packetToError?(...args: unknown[]): unknown;
  /** Reads a row, with the caller's `typeCast`. */
  RowDataPacket?(...args: unknown[]): unknown;
  stream?(...args: unknown[]): NodeJS.EventEmitter;
}

export interface Protocol {
  _connection?: Connection;
  _queue?: Sequence[];
  _handshakeInitializationPacket?: { serverVersion?: string } | null;
  _validateEnqueue(sequence: Sequence): unknown;
  destroy(): unknown;
}

export interface Connection extends PooledConnection {
  query(...args: unknown[]): unknown;
  _protocol?: Protocol;
  _socket?: { remoteAddress?: string; remotePort?: number };
}

export interface ConnectionClass {
  prototype: Connection;
  createQuery(...args: unknown[]): Sequence;
}

/** The package itself, which has factories and no classes. */
export interface Factories {
  createConnection(config: object): Connection;
  createPool(config: object): Pool;
  createPoolCluster(config: object): PoolCluster;
}
