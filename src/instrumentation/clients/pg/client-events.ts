import { CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import type { PgClient } from './library-types.ts';
import { operationOf } from './submittable.ts';

/*
 * Finds the call to which an event of a client belongs: `connect` and `end` to the calls that
 * connect and end it, a notice to the query under way, `drain` to the last query in the queue. A
 * notification and the loss of a connection belong to no call.
 */
const opening = new CallsUnderWay();
const closing = new CallsUnderWay();
const draining = new CallsUnderWay();

export const connecting = (client: object): void => opening.begin(client);
export const ending = (client: object): void => closing.begin(client);

/** The event is emitted after the callback. */
export function connectingUntil(client: object, callback: unknown): unknown {
  if (typeof callback !== 'function' || !opening.of(client)) return callback;
  return function connected(this: unknown, ...args: unknown[]): unknown {
    process.nextTick(() => opening.end(client));
    return Reflect.apply(callback, this, args) as unknown;
  };
}

/** `drain` belongs to the query that is queued now, unless another one follows. */
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

/** The older name is a deprecated getter if the newer one exists. */
function activeQueryOf(client: PgClient): object | null | undefined {
  return '_activeQuery' in client ? client._activeQuery : client.activeQuery;
}
