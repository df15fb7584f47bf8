import { CallScope } from '../../../carry/call-scope.ts';
import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
import {
  reservePatch,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../../base/patch.ts';
import type { PendingOperation } from '../../pending-operation.ts';
import { executing } from '../mysql-shared/call-scopes.ts';
import type { ResultCallback } from '../mysql-shared/library-types.ts';
import type { Command, Queue } from './library-types.ts';

/*
 * A connection executes commands, which the library makes for every call. A state with the
 * operation of the call is attached to a command when it is made for a pool or queued on a
 * connection. It is read when the command calls back or emits.
 */
export interface CommandState {
  readonly operation: PendingOperation;
  /** Whether a pool made the command for itself, so that only the pool listens to it. */
  readonly isHidden: boolean;
  /** Whether there is a callback for the result that was not called yet. */
  isAwaited: boolean;
  /** Whether the connection has the command, so that more events will follow. */
  isQueued: boolean;
}

/** The state for the statement that the call on the stack prepares and executes. */
export const executed: CallScope<CommandState> = new CallScope();

export function stateOf(command: Command): CommandState | undefined {
  return workOf(command);
}

/** Makes all callbacks and events of `command` run in the scope of `operation`. */
export function carry(command: Command, operation: PendingOperation): CommandState {
  const made = newState(operation, false);
  const { onResult } = command;
  if (typeof onResult === 'function') command.onResult = answering(made, onResult);
  return attach(made, command);
}

/** Returns a state of `operation` for a command that is not made yet. */
export function newState(operation: PendingOperation, isHidden: boolean): CommandState {
  return { operation, isHidden, isAwaited: false, isQueued: false };
}

/** Assigns the state `made` to `command`, whose callback may be `answering` already. */
export function attach(made: CommandState, command: Command): CommandState {
  attachWork(command, made);
  return made;
}

/**
 * Returns the callback of a command that will have the state `made`, bound to the context of its
 * caller.
 */
export function answering(made: CommandState, callback: ResultCallback): ResultCallback {
  made.isAwaited = true;
  return function onResult(this: unknown, ...results) {
    const { operation } = made;
    made.isAwaited = false;
    operation.settle(results[0] ?? undefined, results[1]);
    // If it is called synchronously, its own calls are not part of this one.
    const outer = executing.enter(undefined);
    const outerState = executed.enter(undefined);
    try {
      return operation.run(callback, this, ...results);
    } finally {
      executed.leave(outerState);
      executing.leave(outer);
      endIfOver(made);
    }
  };
}

/** The last event has passed when the callback was called and the connection is done. */
function endIfOver({ isAwaited, isQueued, operation }: CommandState): void {
  if (!isAwaited && !isQueued) operation.end();
}

/** Ends the operations of `commands`, which will never complete. */
export function abandon(commands: Iterable<Command>, error: unknown): void {
  for (const command of commands) {
    const made = stateOf(command);
    if (!made) continue;
    made.isQueued = false;
    made.operation.settle(error);
    endIfOver(made);
  }
}

/** The command a connection executes, and those that wait behind it. */
export function* commandsOf(
  current: Command | null | undefined,
  waiting: Queue<Command> | undefined,
): Generator<Command> {
  if (current) yield current;
  for (let index = 0; index < (waiting?.length ?? 0); index++) {
    const command = waiting?.get?.(index) ?? waiting?.peekAt?.(index);
    if (command) yield command;
  }
}

/**
 * Patches the base class of commands, and the method that makes a stream in the class of
 * `prototype`.
 */
export function patchCommands(prototype: object): Undo | undefined {
  const base = ownerOf(prototype, 'execute') as Command | undefined;
  const streaming = ownerOf(prototype, 'stream') as Streaming | undefined;
  const undos = [
    base && reservePatch(base, 'mysql2 command'),
    streaming && reservePatch(streaming, 'mysql2 stream'),
  ];
  if (undos[0])
    undos.push(patchHotMethod(base!, 'emit', emitOf), patchHotMethod(base!, 'execute', executeOf));
  if (undos[1]) undos.push(patchMethod(streaming!, 'stream', streamOf));
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

type Emit = (this: Command, event: string, ...args: unknown[]) => boolean;

function emitOf(original: Emit, patch: PatchState): Emit {
  return function emit(event, ...args) {
    const made = patch.isUndone ? undefined : stateOf(this);
    if (!made) return original.call(this, event, ...args);
    const { operation } = made;
    if (event === 'error') operation.settle(args[0] ?? undefined);
    if (event === 'end') {
      made.isQueued = false;
      if (!made.isAwaited) operation.settle();
    }
    // Entering a scope costs more than the rest of this function. An error without a listener is
    // thrown to the code that emits it, as always.
    if (made.isHidden || this.listenerCount(event) === 0) {
      if (event === 'end') endIfOver(made);
      return original.call(this, event, ...args);
    }
    if (event !== 'end') return operation.run(original, this, event, ...args);
    try {
      return operation.run(original, this, event, ...args);
    } finally {
      endIfOver(made);
    }
  };
}

type Execute = Command['execute'];

/** Runs the caller's own code for reading values and files in the caller's context. */
function executeOf(original: Execute, patch: PatchState): Execute {
  // It is called for every packet.
  return function execute(this: Command, packet, connection) {
    const { options } = this;
    const isCalling =
      options !== undefined &&
      (typeof options.typeCast === 'function' || options.infileStreamFactory);
    const made = isCalling && !patch.isUndone ? stateOf(this) : undefined;
    return made
      ? made.operation.run(original, this, packet, connection)
      : original.call(this, packet, connection);
  };
}

interface Streaming extends Command {
  stream(...args: unknown[]): { prependOnceListener?(event: string, listener: () => void): void };
}

function streamOf(
  original: (this: Streaming, ...args: unknown[]) => ReturnType<Streaming['stream']>,
): (this: Streaming, ...args: unknown[]) => ReturnType<Streaming['stream']> {
  return function stream(...args) {
    const made = stateOf(this);
    const readable = original.apply(this, args);
    // A caller that destroys the stream does not wait for the rows that the server still sends.
    readable.prependOnceListener?.('close', () => made?.operation.settle());
    return readable;
  };
}
