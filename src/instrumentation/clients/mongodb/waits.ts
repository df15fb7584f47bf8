import type { MongoConnection } from './shapes.ts';

/*
 * How long connections were waited for: written when a connection is checked out, and taken by the
 * first command after that.
 */
export const waits: WeakMap<MongoConnection, number> = new WeakMap();

/** How long the command that `connection` was checked out for waited for it. */
export function takeWait(connection: MongoConnection): number | undefined {
  const wait = waits.get(connection);
  waits.delete(connection);
  return wait;
}
