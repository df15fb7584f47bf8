import type { MongoConnection } from './library-types.ts';

/*
 * Stores how long the wait for a connection took: set when a connection is checked out, and taken
 * by the first command after that.
 */
export const waits: WeakMap<MongoConnection, number> = new WeakMap();

/** Returns how long the command for which `connection` was checked out waited for it. */
export function takeWait(connection: MongoConnection): number | undefined {
  const wait = waits.get(connection);
  waits.delete(connection);
  return wait;
}
