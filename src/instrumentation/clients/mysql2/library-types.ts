import type { PooledConnection, ResultCallback } from '../mysql-shared/library-types.ts';

/* The parts of mysql2 that are used, in all supported versions. */

/** Anything a connection executes: queries, prepared statements, pings. */
export interface Command {
  sql?: unknown;
  values?: unknown;
  /** Called with the result; without it, events are emitted. */
  onResult?: ResultCallback | undefined;
  /** The caller's arguments in an object of the library; the values get written into `sql`. */
  _queryOptions?: { sql?: unknown; values?: unknown };
  /** The statement that is executed, once it is prepared. */
  statement?: { query?: unknown };
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  /** The options of its execution, once started; the caller's own functions may be among them. */
  options?: { typeCast?: unknown; infileStreamFactory?: unknown };
  /** Takes the next packet. */
  execute(packet: unknown, connection: unknown): unknown;
}

export interface Queue<Item> {
  readonly length: number;
  get?(index: number): Item | undefined;
  peekAt?(index: number): Item | undefined;
}

export interface Connection extends PooledConnection {
  stream?: { remoteAddress?: string; remotePort?: number };
  _handshakePacket?: { serverVersion?: string } | null;
  _command?: Command | null;
  _commands?: Queue<Command>;
  addCommand(command: Command): unknown;
  /** Replaces `addCommand` once the connection is closed. */
  _addCommandClosedState(command: Command): unknown;
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  connect(callback?: unknown): unknown;
  close(): unknown;
  _notifyError(error: unknown): unknown;
}
