import { claim, ownerOf, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { RunningOperation } from '../../running-operation.ts';
import type { Command } from './shapes.ts';

/*
 * A connection executes commands, which the library makes for every call. `links` connects them
 * with the call that brought them: written when a command is given to its connection, read when it
 * calls back or emits. An entry lives as long as its command. `prepared` is by prepared statement,
 * for those that one call prepares in order to execute them.
 */
const links = new WeakMap<Command, Link>();
const prepared = new WeakMap<object, RunningOperation>();

/** What is executed with `statement` belongs to `operation`. */
export function prepareFor(operation: RunningOperation, statement: unknown): void {
  if (typeof statement === 'object' && statement !== null) prepared.set(statement, operation);
}

export interface Link {
  readonly operation: RunningOperation;
  /** Whether the operation is over with this command; what prepares for another one is not. */
  isLast(this: void): boolean;
}

export function isLinked(command: Command): boolean {
  return links.has(command);
}

/** The operation that `statement` was prepared for. */
export function preparedFor(statement: object | null | undefined): RunningOperation | undefined {
  return statement ? prepared.get(statement) : undefined;
}

/** Lets everything that `command` tells the user happen in the scope of the operation. */
export function link(command: Command, made: Link): void {
  links.set(command, made);
  const { resolve, reject } = command;
  const resolved: Command['resolve'] = (result) =>
    answer(made, command, resolve, undefined, result);
  const rejected: Command['reject'] = (error) =>
    answer(made, command, reject, error ?? new Error('no reason given'), error);
  command.resolve = resolved;
  command.reject = rejected;
}

function answer(
  { operation, isLast }: Link,
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
    if (isOver) operation.end();
  }
}

function rowsOf(command: Command, result: unknown): unknown {
  return command.opts?.metaAsArray === true && Array.isArray(result) ? result[0] : result;
}

/** Ends what `commands` belong to: they will never hear of their end. */
export function abandon(commands: Iterable<Command>, error: unknown): void {
  for (const command of commands) {
    const made = links.get(command);
    made?.operation.settle(error);
    made?.operation.end();
  }
}

/** Patches the base classes of `command`, as far as they are not. */
export function patchCommands(command: Command): Undo | undefined {
  const prototype = Object.getPrototypeOf(command) as object;
  const undos: (Undo | undefined)[] = [];
  const patchOwner = (key: 'start' | (typeof READERS)[number] | '_stream', wrap: Wrap): void => {
    const owner = ownerOf(prototype, key) as Command | undefined;
    const release = owner && claim(owner, `mariadb ${key}`);
    if (release) undos.push(release, patchMethod(owner, key, wrap as never));
  };
  const base = ownerOf(prototype, 'throwNewError') as Command | undefined;
  const release = base && claim(base, 'mariadb command');
  if (release) undos.push(release, patchMethod(base, 'emit', emitOf));
  patchOwner('start', inScope);
  for (const reader of READERS) patchOwner(reader, readOf);
  patchOwner('_stream', streamOf);
  return undos.some(Boolean) ? undoAll(undos) : undefined;
}

type Wrap = (original: Method) => Method;
type Method = (this: Command, ...args: unknown[]) => unknown;

/** Those that hand rows out, or call the caller's own code for values and files. */
const READERS = ['readResultSetRow', 'readOKPacket', 'readLocalInfile'] as const;
/** The events that are for the user; the others make the connection go on. */
const EVENTS: ReadonlySet<string | symbol> = new Set(['fields', 'data', 'error', 'end', 'close']);

function emitOf(
  original: (this: Command, event: string | symbol, ...args: unknown[]) => boolean,
): (this: Command, event: string | symbol, ...args: unknown[]) => boolean {
  return function emit(event, ...args) {
    const made = EVENTS.has(event) && this.listenerCount(event) > 0 ? links.get(this) : undefined;
    if (!made) return original.call(this, event, ...args);
    return made.operation.run(original, this, event, ...args);
  };
}

/** What sends a command is the end of the one before it. */
function inScope(original: Method): Method {
  return function start(...args) {
    const made = links.get(this);
    return made ? made.operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function readOf(original: Method): Method {
  return function read(...args) {
    // Entering a scope costs more than all the rest of this.
    const isCalling =
      this.inStream !== undefined ||
      typeof this.opts?.typeCast === 'function' ||
      this.listenerCount('data') > 0 ||
      original.name === 'readLocalInfile';
    const made = isCalling ? links.get(this) : undefined;
    return made ? made.operation.run(original, this, ...args) : original.apply(this, args);
  };
}

function streamOf(original: Method): Method {
  return function _stream(...args) {
    return settlingStream(this, original.apply(this, args) as NodeJS.EventEmitter);
  };
}

/** Whoever destroys a stream does not wait for the rows that the server still sends. */
export function settlingStream<Stream extends NodeJS.EventEmitter>(
  command: Command,
  stream: Stream,
): Stream {
  return stream.prependOnceListener('close', () => links.get(command)?.operation.settle());
}
