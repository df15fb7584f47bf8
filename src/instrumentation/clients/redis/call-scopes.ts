import { AsyncLocalStorage } from 'node:async_hooks';

import { CallScope } from '../../../carry/call-scope.ts';
import type { Operation } from '../../operation.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import type { OperationRecording } from '../../recorder/operation-recording.ts';
import type { PendingOperation } from '../../pending-operation.ts';
import { isSettingUp } from '../../redis/setup.ts';
import { endpointOf } from './attributes.ts';
import { isOfQueue } from './queue-clients.ts';
import type { RedisClient } from './library-types.ts';

/*
 * One call of the application may be passed on several times: a pool gets a client first, a cluster
 * sends a command again after a redirect. Code that passes a call on does so through `handOn`, and
 * the first command that is sent before that returns belongs to the call. `handedOn` is set only
 * while such a call is on the stack. If there is a wait in between, `handOnLater` passes the call
 * on to everything that is sent during it; `later` is created on first use.
 */
export interface Call {
  /** The operation of the whole call, settled by the code that created it. */
  operation?: PendingOperation | undefined;
  /** The command as the application gave it, of which a cluster sends each server a part. */
  command?: readonly unknown[] | undefined;
  /** When it started to wait, by `performance.now()`, and for how long. */
  askedAt?: number | undefined;
  waited?: number | undefined;
}
const handedOn = new CallScope<Call>();
let later: AsyncLocalStorage<Call> | undefined;

/** Calls `fn`; the first command that it sends belongs to `call`. */
export function handOn<Result>(call: Call, fn: () => Result): Result {
  return handedOn.run(call, fn);
}

/** Calls `fn`. Everything it sends, at any time, belongs to `call`, which has an operation. */
export function handOnLater<Result>(call: Call, fn: () => Result): Result {
  later ??= new AsyncLocalStorage<Call>();
  return later.run(call, fn);
}

/** Whether this runs during a call that was passed on. */
export function isHandedOn(): boolean {
  return later?.getStore() !== undefined;
}

/** Takes the call that is being passed on, which now has its command. */
export function takeCall(): Call | undefined {
  return handedOn.take() ?? later?.getStore();
}

/** Sends a command or a batch by `send`, and records it if it is the application's. */
export function recorded(
  client: RedisClient,
  recorder: Recorder,
  describe: (command?: readonly unknown[]) => Operation,
  send: (recording?: OperationRecording) => unknown,
  errorOf?: (result: unknown) => unknown,
): unknown {
  const call = takeCall();
  if (!recorder.isListening || isSettingUp()) return send();
  const given = call?.operation;
  if (given?.isDescribed) {
    given.recording?.connectedTo(endpointOf(client));
    addWait(given.recording, call);
    return send(given.recording);
  }
  const operation = describe(call?.command);
  if (isOfQueue(client)) operation.isHousekeeping = true;
  if (call?.askedAt !== undefined) operation.askedAt = call.askedAt;
  let recording: OperationRecording | undefined;
  if (given) {
    given.record(recorder, operation);
    recording = given.recording;
  } else {
    recording = recorder.start(operation);
  }
  addWait(recording, call);
  const sending = (): unknown => send(recording);
  return given ? sending() : settling(recording, sending, errorOf);
}

function addWait(recording: OperationRecording | undefined, call: Call | undefined): void {
  if (call?.waited !== undefined) recording?.waited(call.waited);
}

/** Something that ends once, with an error or a result. */
interface Ending {
  end(error?: unknown, result?: unknown): void;
}

/**
 * Calls `fn` and ends `ending` with the outcome of its promise, before any other code is notified.
 */
export function settling(
  ending: Ending | undefined,
  fn: () => unknown,
  errorOf?: (result: unknown) => unknown,
): unknown {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    ending?.end(error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    ending?.end();
    return result;
  }
  // Returns a promise in place of the other; its rejection counts as handled, or not, just as
  // before.
  return result.then(
    (value: unknown) => {
      ending?.end(errorOf?.(value), value);
      return value;
    },
    (error: unknown) => {
      ending?.end(error);
      throw error;
    },
  );
}

/** Calls `fn` as the complete `operation`. */
export function settlingOperation(operation: PendingOperation, fn: () => unknown): unknown {
  const ending: Ending = {
    end(error, result) {
      operation.settle(error, result);
      operation.end();
    },
  };
  return settling(ending, fn);
}
