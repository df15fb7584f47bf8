import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { Connections, Pool, PooledConnection } from './shapes.ts';

/*
 * Whose call an event of a pool is about: `connection` and `acquire` about who waits for the
 * connection. The others are emitted in the turn of the call that they are about.
 */
const asking = new CallsUnderWay();
const opening = new CallsUnderWay();

/** `callback` waits for the caller that asks `pool` here and now. */
export function asksFor(pool: Pool, callback: object): void {
  if (pool.listenerCount('connection') > 0 || pool.listenerCount('acquire') > 0) {
    asking.begin(callback);
  }
}

/** `connection` is for who waits with `callback`. */
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

/** The newest of `connections`. */
export function lastOf(connections: Connections | undefined): PooledConnection | undefined {
  if (!connections) return undefined;
  const index = connections.length - 1;
  if (Array.isArray(connections)) return connections[index] as PooledConnection | undefined;
  return connections.get?.(index) ?? connections.peekAt?.(index);
}
