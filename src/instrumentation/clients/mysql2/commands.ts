import {
  claim,
  ownerOf,
  patchHotMethod,
  patchMethod,
  undoAll,
  type PatchState,
  type Undo,
} from '../../patch.ts';
import type { RunningOperation } from '../../running-operation.ts';
import type { ResultCallback } from '../mysql-family/shapes.ts';
import type { Command, Queue } from './shapes.ts';

/*
 * A connection executes commands, which the library makes for every call. A command holds its link
 * to the call that brought it: written when the command is made for a pool or queued on a
 * connection, read when the command calls back or emits.
 */
const LINK = Symbol('clew link');

interface Stamped {
  [LINK]?: Link;
}

export interface Link {
  readonly operation: RunningOperation;
  /** Whether the operation is over with this command; what prepares another one is not. */
  readonly isLast: boolean;
  /** Whether a result goes to a callback that has not been called yet. */
  isAwaited: boolean;
  /** Whether the connection has the command: there are events to come. */
  isQueued: boolean;
}

export function linkOf(command: Command): Link | undefined {
  return (command as Stamped)[LINK];
}

/** Lets everything that `command` tells the user happen in the scope of `operation`. */
export function link(command: Command, operation: RunningOperation, isLast: boolean): Link {
  const made: Link = { operation, isLast, isAwaited: false, isQueued: false };
  (command as Stamped)[LINK] = made;
  const { onResult } = command;
  if (typeof onResult === 'function') {
    made.isAwaited = true;
    command.onResult = answering(made, onResult);
  }
  return made;
}

/** The command's callback, in the context of its caller. */
function answering(made: Link, callback: ResultCallback): ResultCallback {
  return function onResult(this: unknown, ...results) {
    made.isAwaited = false;
    settle(made, results[0], results[1]);
    try {
      return made.operation.run(callback, this, ...results);
    } finally {
      endIfOver(made);
    }
  };
}

function settle({ isLast, operation }: Link, error?: unknown, result?: unknown): void {
  if (isLast || error) operation.settle(error ?? undefined, result);
}

/** The last event has been when the callback was called and the connection is through. */
function endIfOver({ isLast, isAwaited, isQueued, operation }: Link): void {
  if (isLast && !isAwaited && !isQueued) operation.end();
}

/** Ends what `commands` belong to: they will never hear of their end. */
export function abandon(commands: Iterable<Command>, error: unknown): void {
  for (const command of commands) {
    const made = linkOf(command);
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

/** Patches the base class of commands, and what makes a stream of the class of `prototype`. */
export function patchCommands(prototype: object): Undo | undefined {
  const base = ownerOf(prototype, 'execute') as Command | undefined;
  const streaming = ownerOf(prototype, 'stream') as Streaming | undefined;
  const undos = [
    base && claim(base, 'mysql2 command'),
    streaming && claim(streaming, 'mysql2 stream'),
  ];
  if (undos[0])
    undos.push(patchHotMethod(base!, 'emit', emitOf), patchHotMethod(base!, 'execute', executeOf));
  if (undos[1]) undos.push(patchMethod(streaming!, 'stream', streamOf));
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

type Emit = (this: Command, event: string, ...args: unknown[]) => boolean;

function emitOf(original: Emit, patch: PatchState): Emit {
  return function emit(event, ...args) {
    const made = patch.isUndone ? undefined : linkOf(this);
    if (!made) return original.call(this, event, ...args);
    if (event === 'error') settle(made, args[0]);
    if (event === 'end') {
      made.isQueued = false;
      if (!made.isAwaited) settle(made);
    }
    // Entering a scope costs more than all the rest of this. An error that nobody listens to is
    // thrown to whoever emits it, as ever.
    if (this.listenerCount(event) === 0) {
      if (event === 'end') endIfOver(made);
      return original.call(this, event, ...args);
    }
    if (event !== 'end') return made.operation.run(original, this, event, ...args);
    try {
      return made.operation.run(original, this, event, ...args);
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
    const made = isCalling && !patch.isUndone ? linkOf(this) : undefined;
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
    const made = linkOf(this);
    const readable = original.apply(this, args);
    // Whoever destroys the stream does not wait for the rows that the server still sends.
    readable.prependOnceListener?.('close', () => made?.operation.settle());
    return readable;
  };
}
