import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { Connections, Pool, PooledConnection } from './library-types.ts';

/*
 * Finds the call to which an event of a pool belongs: `connection` and `acquire` belong to the call
 * that waits for the connection. The others are emitted in the turn of their call.
 */
const asking = new CallsUnderWay();
const opening = new CallsUnderWay();

/** Records that `callback` waits for the caller that calls `pool` now. */
export function asksFor(pool: Pool, callback: object): void {
  if (pool.listenerCount('connection') > 0 || pool.listenerCount('acquire') > 0) {
    asking.begin(callback);
  }
}

/** Records that `connection` is for the caller that waits with `callback`. */
export function opensFor(connection: PooledConnection | undefined, callback: object): void {
  if (connection) opening.beginFor(connection, asking.of(callback));
}

export function isGivenBack(connection: PooledConnection): void {
  opening.end(connection);
}

export const callerOf: CallerOf = (_pool, event, args) =>
  event === 'connection' || event === 'acquire'
    ? opening.of(args[0] as PooledConnection)
    : undefined;

/** Returns the newest of `connections`. */
export function lastOf(connections: Connections | undefined): PooledConnection | undefined {
  if (!connections) return undefined;
  const index = connections.length - 1;
  if (Array.isArray(connections)) return connections[index] as PooledConnection | undefined;
  return connections.get?.(index) ?? connections.peekAt?.(index);
}
