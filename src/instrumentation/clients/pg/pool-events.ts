import { callerHere, CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { OperationResource } from '../../operation-resource.ts';
import type { PendingItem, PgClient, PgPool } from './shapes.ts';

/*
 * Whose call an event of a pool is about: `connect` and `acquire` about who waits for the client,
 * `release` about who gives it back, and `remove` about who gave it back last or ends the pool. `asks`
 * is the caller that asks for a client while that call is on the stack.
 */
let asks: OperationResource | undefined;
const waiting = new CallsUnderWay();
const givingBack = new CallsUnderWay();
const removing = new CallsUnderWay();

/** Calls `connect`, which asks `pool` for a client. */
export function asking<Result>(pool: PgPool, connect: () => Result): Result {
  if (!isHeard(pool, 'connect') && !isHeard(pool, 'acquire')) return connect();
  const outer = asks;
  asks = callerHere();
  try {
    const before = pool._pendingQueue?.length ?? 0;
    const result = connect();
    const queue = pool._pendingQueue ?? [];
    const last = queue.at(-1);
    if (last && queue.length > before) waitsFor(last);
    return result;
  } finally {
    asks = outer;
  }
}

/** `item` waits for the caller that asks here and now. */
export function waitsFor(item: PendingItem): void {
  if (asks && !waiting.of(item)) waiting.beginFor(item, asks);
}

/** The caller that waited with `item`, who is given `client`. */
export function acquiring(client: PgClient, item: PendingItem): OperationResource | undefined {
  removing.end(client);
  return waiting.take(item);
}

/** The caller that is active gives `client` back. */
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
