import { callerHere, CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import { connecting } from './call-scopes.ts';
import type { PendingItem, PgClient, PgPool } from './library-types.ts';

/*
 * Finds the call to which an event of a pool belongs: `connect` and `acquire` to the call that
 * waits for the client, `release` to the one that releases it, and `remove` to the one that
 * released it last or ends the pool.
 */
const waiting = new CallsUnderWay();
const givingBack = new CallsUnderWay();
const removing = new CallsUnderWay();

/** Returns the caller of `connect` of `pool`, if there is a listener for its events. */
export function callerOfConnect(pool: PgPool): OperationResource | undefined {
  return isHeard(pool, 'connect') || isHeard(pool, 'acquire') ? callerHere() : undefined;
}

/** Records that `item` waits for the caller whose `connect` is on the stack. */
export function waitsFor(item: PendingItem): void {
  const caller = connecting.current?.caller;
  if (caller && !waiting.of(item)) waiting.beginFor(item, caller);
}

/** Records that the caller that waited with `item` gets `client`. */
export function acquiring(client: PgClient, item: PendingItem): OperationResource | undefined {
  removing.end(client);
  return waiting.take(item);
}

/** Records that the active caller releases `client`. */
export function releasing(pool: PgPool, client: PgClient): void {
  const isHeardOfRelease = isHeard(pool, 'release');
  const isHeardOfRemoval = isHeard(pool, 'remove');
  if (!isHeardOfRelease && !isHeardOfRemoval) return;
  const caller = callerHere();
  if (isHeardOfRelease) givingBack.beginFor(client, caller);
  if (isHeardOfRemoval) removing.beginFor(client, caller);
}

export function released(client: PgClient): void {
  givingBack.end(client);
}

export function endingPool(pool: PgPool): void {
  const caller = isHeard(pool, 'remove') ? callerHere() : undefined;
  if (caller) for (const client of pool._clients ?? []) removing.beginFor(client, caller);
}

export const callerOf: CallerOf = (_pool, event, args) => {
  if (event === 'release') return givingBack.of(args[1] as PgClient);
  return event === 'remove' ? removing.of(args[0] as PgClient) : undefined;
};

function isHeard(pool: PgPool, event: string): boolean {
  return pool.listenerCount(event) > 0;
}
