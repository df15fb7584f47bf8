import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { PgClient } from './shapes.ts';
import { operationOf } from './submittable.ts';

/*
 * Whose call an event of a client is about: `connect` and `end` about who connects and ends it, a
 * notice about the query under way, `drain` about the last one in the queue. A notification and the
 * loss of a connection are about nobody here.
 */
const opening = new CallsUnderWay();
const closing = new CallsUnderWay();
const draining = new CallsUnderWay();

export const connecting = (client: object): void => opening.begin(client);
export const ending = (client: object): void => closing.begin(client);

/** The event comes after the callback. */
export function connectingUntil(client: object, callback: unknown): unknown {
  if (typeof callback !== 'function' || !opening.of(client)) return callback;
  return function connected(this: unknown, ...args: unknown[]): unknown {
    process.nextTick(() => opening.end(client));
    return Reflect.apply(callback, this, args) as unknown;
  };
}

/** `drain` is about the query that is queued here and now, unless another one follows. */
export function drainsFor(client: PgClient): void {
  if (client.listenerCount?.('drain')) draining.begin(client);
}

export const callerOf: CallerOf = (client, event) => {
  switch (event) {
    case 'connect':
      return opening.of(client);
    case 'end':
      return closing.of(client);
    case 'drain':
      return draining.take(client);
    case 'notice': {
      const query = activeQueryOf(client as PgClient);
      return query ? operationOf(query) : undefined;
    }
    default:
      return undefined;
  }
};

/** The older name is a deprecated getter where there is the newer one. */
function activeQueryOf(client: PgClient): object | null | undefined {
  return '_activeQuery' in client ? client._activeQuery : client.activeQuery;
}
