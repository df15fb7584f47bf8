import type { Operation } from '../../operation.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { RunningOperation } from '../../running-operation.ts';
import { isSettingUp } from '../../redis/setup.ts';
import { endpointOf } from './describe.ts';
import type { RedisClient } from './shapes.ts';

/*
 * One call of the application's may go through several hands: a cluster sends a command again where
 * it was redirected to, a pool asks for a client first. Whoever hands it on calls the next one
 * through `handOn`, and the first command that is sent before that returns belongs to the call.
 * `handedOn` holds something only while such a call is on the stack.
 */
export interface Call {
  /** That of the whole call, settled by whoever created it. */
  operation?: RunningOperation | undefined;
  /** Since when it waited, by `Date.now()`, and for how long. */
  askedAt?: number | undefined;
  waited?: number | undefined;
}
let handedOn: Call | undefined;

/** How long a command waited for a connection of its pool. */
const ATTR_POOL_WAIT = 'clew.pool.wait.ms';

/** Calls `fn`; the first command that it sends belongs to `call`. */
export function handOn<Result>(call: Call, fn: () => Result): Result {
  const outer = handedOn;
  handedOn = call;
  try {
    return fn();
  } finally {
    handedOn = outer;
  }
}

/** The call that is being handed on, which has its command now. */
export function takeCall(): Call | undefined {
  const call = handedOn;
  handedOn = undefined;
  return call;
}

/** Sends a command or a batch by `send`, and records it if it is the application's. */
export function recorded(
  client: RedisClient,
  recorder: Recorder,
  describe: () => Operation,
  send: () => unknown,
  errorOf?: (result: unknown) => unknown,
): unknown {
  const call = takeCall();
  if (!recorder.isListening || isSettingUp()) return send();
  const given = call?.operation;
  const operation = given ?? new RunningOperation('REDIS_COMMAND');
  if (operation.isDescribed) {
    operation.recording?.connectedTo(endpointOf(client));
    return send();
  }
  operation.record(recorder, { ...describe(), askedAt: call?.askedAt });
  if (call?.waited !== undefined) operation.recording?.add({ [ATTR_POOL_WAIT]: call.waited });
  return given ? send() : settling(operation, send, errorOf);
}

/** Calls `fn` and settles `operation` with what its promise comes to, before anybody hears of it. */
export function settling(
  operation: RunningOperation,
  fn: () => unknown,
  errorOf?: (result: unknown) => unknown,
): unknown {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    failed(operation, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    operation.end();
    return result;
  }
  // One promise in the place of the other: a rejection is handled, or not, as it would have been.
  return result.then(
    (value: unknown) => {
      operation.settle(errorOf?.(value), value);
      operation.end();
      return value;
    },
    (error: unknown) => {
      failed(operation, error);
      throw error;
    },
  );
}

function failed(operation: RunningOperation, error: unknown): void {
  operation.settle(error);
  operation.end();
}
