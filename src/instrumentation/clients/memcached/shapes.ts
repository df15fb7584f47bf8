import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/* What is used of `memcached`, as far as all supported versions have it. */

export interface MemcachedClient extends EventEmitter {
  /** `host:port`, `host`, or the path of a socket. */
  readonly servers: readonly string[];
  /** Pools by server. */
  readonly connections: Readonly<Record<string, MemcachedPool | undefined>>;
  /** Everything a client does for its user ends here. It makes the query itself, once or more. */
  command(compile: Compile, server?: string): unknown;
  /** Does the same at several servers: those of the keys, or all. */
  multi(keys: unknown, each: EachServer): unknown;
  connect(server: string, callback: Allocated): unknown;
  connectionIssue(error: unknown, socket: MemcachedSocket): unknown;
  rawDataReceived(socket: MemcachedSocket, ...rest: unknown[]): unknown;
}

/** With `noReply` it is the copy for another server, to which nobody listens. */
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
  /** The queries that wait for their answers. */
  readonly metaData?: readonly Query[];
}

/** It shares its connections: a query waits for an answer and not for a connection of its own. */
export interface MemcachedPool {
  readonly pool: readonly MemcachedSocket[];
  readonly limit: number;
}
