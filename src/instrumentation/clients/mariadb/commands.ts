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
import type { Command } from './library-types.ts';

/*
 * A connection executes commands, which the library makes for every call. A state with the
 * operation of the call is attached to a command when it is passed to its connection, and read when
 * the command calls back or emits. `prepared` is keyed by prepared statement, for statements that
 * one call prepares in order to execute them.
 */
const prepared = new WeakMap<object, PendingOperation>();

/** Assigns executions of `statement` to `operation`. */
export function prepareFor(operation: PendingOperation, statement: unknown): void {
  if (typeof statement === 'object' && statement !== null) prepared.set(statement, operation);
}

export interface CommandState {
  readonly operation: PendingOperation;
  /** Whether this command ends the operation; one that prepares for another does not. */
  isLast(this: void): boolean;
}

function stateOf(command: Command): CommandState | undefined {
  return workOf(command);
}

export function isAttached(command: Command): boolean {
  return stateOf(command) !== undefined;
}

/** Returns the operation that `statement` was prepared for. */
export function preparedFor(statement: object | null | undefined): PendingOperation | undefined {
  return statement ? prepared.get(statement) : undefined;
}

/** Makes all callbacks and events of `command` run in the scope of the operation. */
export function carry(command: Command, made: CommandState): void {
  attachWork(command, made);
  const { resolve, reject } = command;
  const resolved: Command['resolve'] = (result) =>
    answer(made, command, resolve, undefined, result);
  const rejected: Command['reject'] = (error) =>
    answer(made, command, reject, error ?? new Error('no reason given'), error);
  command.resolve = resolved;
  command.reject = rejected;
}

function answer(
  { operation, isLast }: CommandState,
  command: Command,
  tell: Command['resolve'],
  error: unknown,
  result: unknown,
): unknown {
  const isOver = isLast();
  if (error !== undefined) operation.settle(error);
  else if (isOver) operation.settle(undefined, rowsOf(command, result));
  else prepareFor(operation, result);
  try {
    return typeof tell === 'function' ? operation.run(tell, undefined, result) : undefined;
  } finally {
    // Commands that were to follow a failed one will not be executed.
    if (isOver || error !== undefined) operation.end();
  }
}

function rowsOf(command: Command, result: unknown): unknown {
  return command.opts?.metaAsArray === true && Array.isArray(result) ? result[0] : result;
}

/** Ends the operations of `commands`, which will never complete. */
export function abandon(commands: Iterable<Command>, error: unknown): void {
  for (const command of commands) {
    const made = stateOf(command);
    made?.operation.settle(error);
    made?.operation.end();
  }
}

/** Patches the base classes of the command class with `prototype`, unless they already are. */
export function patchCommands(prototype: object): Undo | undefined {
  const undos: (Undo | undefined)[] = [];
  const patchOwner = (key: 'start' | (typeof READERS)[number], wrap: Wrap): void => {
    const owner = ownerOf(prototype, key) as Command | undefined;
    const release = owner && reservePatch(owner, `mariadb ${key}`);
    if (release) undos.push(release, patchHotMethod(owner, key, wrap as never));
  };
  const base = ownerOf(prototype, 'throwNewError') as Command | undefined;
  const release = base && reservePatch(base, 'mariadb command');
  if (release) undos.push(release, patchHotMethod(base, 'emit', emitOf));
  patchOwner('start', inScope);
  for (const reader of READERS) patchOwner(reader, readOf);
  const streaming = ownerOf(prototype, '_stream') as Command | undefined;
  const releaseStream = streaming && reservePatch(streaming, 'mariadb _stream');
  if (releaseStream) {
    undos.push(releaseStream, patchMethod(streaming, '_stream', streamOf as never));
  }
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

type Wrap = (original: Method, patch: PatchState) => Method;
type Method = (this: Command, ...args: unknown[]) => unknown;

/** Methods that pass out rows, or call the caller's own code for values and files. */
const READERS = ['readResultSetRow', 'readOKPacket', 'readLocalInfile'] as const;
/** The events that are meant for the user; the others are for the connection. */
const EVENTS: ReadonlySet<string | symbol> = new Set(['fields', 'data', 'error', 'end', 'close']);

function emitOf(
  original: (this: Command, event: string | symbol, ...args: unknown[]) => boolean,
  patch: PatchState,
): (this: Command, event: string | symbol, ...args: unknown[]) => boolean {
  return function emit(event, ...args) {
    const isHeard = EVENTS.has(event) && this.listenerCount(event) > 0;
    const made = isHeard && !patch.isUndone ? stateOf(this) : undefined;
    if (!made) return original.call(this, event, ...args);
    return made.operation.run(original, this, event, ...args);
  };
}

/** The end of one command sends the next. */
function inScope(original: Method, patch: PatchState): Method {
  return function start(...args) {
    const made = patch.isUndone ? undefined : stateOf(this);
    return made ? made.operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function readOf(original: Method, patch: PatchState): Method {
  const isAlwaysCalling = original.name === 'readLocalInfile';
  return function read(...args) {
    // Entering a scope costs more than the rest of this function.
    const isCalling =
      this.inStream !== undefined ||
      typeof this.opts?.typeCast === 'function' ||
      this.listenerCount('data') > 0 ||
      isAlwaysCalling;
    const made = isCalling && !patch.isUndone ? stateOf(this) : undefined;
    return made ? made.operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function streamOf(original: Method): Method {
  return function _stream(...args) {
    return settlingStream(this, original.apply(this, args) as NodeJS.EventEmitter);
  };
}

/** A caller that destroys the stream does not wait for the rows that the server still sends. */
export function settlingStream<Stream extends NodeJS.EventEmitter>(
  command: Command,
  stream: Stream,
): Stream {
  return stream.prependOnceListener('close', () => stateOf(command)?.operation.settle());
}
