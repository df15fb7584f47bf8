import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/* The parts of `memcached` that are used, in all supported versions. */

export interface MemcachedClient extends EventEmitter {
  /** `host:port`, `host`, or the path of a socket. */
  readonly servers: readonly string[];
  /** Pools by server. */
  readonly connections: Readonly<Record<string, MemcachedPool | undefined>>;
  /** All of a client's methods end here. It makes the query itself, once or more. */
  command(compile: Compile, server?: string): unknown;
  /** Does the same on several servers: those of the keys, or all. */
  multi(keys: unknown, each: EachServer): unknown;
  connect(server: string, callback: Allocated): unknown;
  connectionIssue(error: unknown, socket: MemcachedSocket): unknown;
  rawDataReceived(socket: MemcachedSocket, ...rest: unknown[]): unknown;
}

/** With `noReply` it is the copy for another server, whose response is ignored. */
export type Compile = (noReply?: unknown) => Query;

export type EachServer = (
  this: unknown,
  server: string,
  keys: unknown,
  index: number,
  total: number,
) => unknown;

export type Allocated = (error: unknown, socket: MemcachedSocket | undefined) => void;

export interface Query {
  readonly type?: unknown;
  readonly key?: unknown;
  readonly validate?: unknown;
  readonly callback?: Callback | undefined;
}

export type Callback = (this: unknown, error?: unknown, result?: unknown) => unknown;

export interface MemcachedSocket extends Socket {
  readonly serverAddress?: string;
  /** The queries that wait for their responses. */
  readonly metaData?: readonly Query[];
}

/** Connections are shared: a query waits for a response, not for its own connection. */
export interface MemcachedPool {
  readonly pool: readonly MemcachedSocket[];
  readonly limit: number;
}
