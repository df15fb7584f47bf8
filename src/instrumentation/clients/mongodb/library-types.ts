import type { EventEmitter } from 'node:events';

/* The parts of the MongoDB driver that are used, in all supported versions. */

/** A connection to one server; monitors have theirs, too. */
export interface MongoConnection {
  /** `host:port`, or the path of a socket. */
  readonly address: string;
  /** Before 6.4 the last argument is a callback; since then it returns a promise. */
  command(namespace: { db: string }, command: MongoCommand, ...rest: unknown[]): unknown;
}

export type MongoCommand = Readonly<Record<string, unknown>>;

export interface MongoPool extends EventEmitter {
  readonly address: string;
  readonly options: { maxPoolSize?: number; minPoolSize?: number };
  readonly totalConnectionCount: number;
  readonly availableConnectionCount: number;
  readonly currentCheckedOutCount: number;
  readonly waitQueueSize: number;
  checkOut(...args: unknown[]): unknown;
  checkIn(connection: MongoConnection): unknown;
  createConnection(callback: (...args: unknown[]) => void): unknown;
}

/** A client, and where its pools are: on a server, or before 5.2 on a server's state. */
export interface MongoClient extends EventEmitter {
  readonly topology?: {
    readonly s: { readonly servers: ReadonlyMap<string, MongoServer> };
  };
  connect(...args: unknown[]): Promise<unknown>;
  close(...args: unknown[]): unknown;
}

export interface MongoServer {
  readonly pool?: MongoPool;
  readonly s?: { readonly pool?: MongoPool };
}

export interface ClassOf<Instance> {
  prototype: Instance;
}
