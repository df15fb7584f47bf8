import { patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { callerHere, CallsUnderWay, type CallerOf } from '../../callers-events.ts';
import { patchListeners } from '../../listeners.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { consuming, type Delivery } from '../../redis/messages.ts';
import { isSettingUp, setUp } from '../../redis/setup.ts';
import { bindCallback } from '../../pending-operation.ts';
import { endpointOf } from './attributes.ts';
import type { RedisConnection } from './library-types.ts';

/** The events that are messages. */
const MESSAGES = new Set<string | symbol>(
  ['message', 'pmessage', 'smessage'].flatMap((name) => [name, `${name}Buffer`]),
);

/** The callers that open and close a connection, to whom the events of that belong. */
const opening = new CallsUnderWay();
const closing = new CallsUnderWay();
/**
 * The caller because of whom a cluster refreshes its slots, such as one whose command was
 * redirected.
 */
const refreshing = new CallsUnderWay();
/** Events after which a connection is open or closed, and further events belong to no call. */
const LAST_STATUS = new Set(['ready', 'monitoring', 'end']);
const STATUS_EVENTS = new Set<string | symbol>([
  'connecting',
  'connect',
  'ready',
  'error',
  'close',
  'reconnecting',
  'end',
]);
const CLUSTER_EVENTS = new Set<string | symbol>(['+node', '-node', 'node error', 'refresh']);

/** A status is emitted in the next tick. */
function settled(connection: object): void {
  opening.end(connection);
  closing.end(connection);
}

const callerOf: CallerOf = (connection, event) => {
  // The command that selects a database is known before it is sent.
  if (event === 'select') return isSettingUp() ? undefined : callerHere();
  const isOfCluster = CLUSTER_EVENTS.has(event);
  if (!isOfCluster && !STATUS_EVENTS.has(event)) return undefined;
  const caller = closing.of(connection) ?? opening.of(connection);
  return caller ?? (isOfCluster ? refreshing.of(connection) : undefined);
};

/** Patches the creation of connections and the registration of listeners. */
export function patchConnection(prototype: RedisConnection, recorder: Recorder): Undo {
  return undoAll([
    patchMethod(prototype, 'connect', (original) => {
      return function connect(callback) {
        opening.begin(this);
        return setUp(original, this, bound(callback));
      };
    }),
    // A cluster refreshes its slots also when a command of the application is redirected.
    patchMethod(prototype, 'refreshSlotsCache', (original) => {
      return function refreshSlotsCache(callback) {
        const heard = bound(callback);
        refreshing.begin(this);
        return setUp(original, this, (...args: unknown[]) => {
          refreshing.end(this);
          return typeof heard === 'function' ? (heard(...args) as unknown) : undefined;
        });
      };
    }),
    patchMethod(prototype, 'delayUntilReady', (original) => {
      return function delayUntilReady(callback) {
        return original.call(this, bindCallback('REDIS_CLUSTER_READY', callback));
      };
    }),
    patchMethod(prototype, 'disconnect', (original) => {
      return function disconnect(...args) {
        closing.begin(this);
        return original.apply(this, args);
      };
    }),
    patchMethod(prototype, 'quit', (original) => {
      return function quit(...args) {
        closing.begin(this);
        return original.apply(this, args);
      };
    }),
    patchMethod(prototype, 'setStatus', (original) => {
      return function setStatus(status, ...rest) {
        const result = original.call(this, status, ...rest);
        if (LAST_STATUS.has(status)) process.nextTick(settled, this);
        return result;
      };
    }),
    patchListeners(prototype, {
      callerOf,
      around: (event, listener) =>
        MESSAGES.has(event)
          ? consuming(listener, recorder, (connection, args) =>
              delivery(connection as RedisConnection, args),
            )
          : listener,
    }),
  ]);
}

/** Returns the message of an event; with a pattern, that precedes channel and message. */
function delivery(connection: RedisConnection, args: unknown[]): Delivery {
  const [message, channel, pattern] = args.toReversed() as [unknown, ...(string | Buffer)[]];
  return {
    endpoint: endpointOf(connection),
    channel: String(channel),
    message,
    ...(pattern !== undefined && { pattern: pattern.toString() }),
  };
}

function bound(callback: unknown): unknown {
  return typeof callback === 'function'
    ? bindCallback('REDIS_CONNECT', callback as () => void)
    : callback;
}
