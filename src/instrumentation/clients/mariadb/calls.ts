import type { RunningOperation } from '../../running-operation.ts';
import { Stamped } from '../../stamped.ts';
import type { CommandParameter, Connection } from './shapes.ts';

/*
 * Which operation a command belongs to.
 *
 * The object in which the library hands a call on, from the pool to the command, holds it.
 * `reserved` is by connection: a cluster gives its next statement to a connection that nobody else
 * has. `selecting` holds the operation of a cluster while its call is on the stack, and `isQuiet`
 * is true while the library asks something on its own account.
 */
const reserved = new WeakMap<Connection, RunningOperation>();
let selecting: RunningOperation | undefined;
let isQuiet = false;

/** The operation of the call that `parameter` stands for. */
export function operationOfCall(
  parameter: CommandParameter | null | undefined,
): RunningOperation | undefined {
  return parameter ? HandedOn.operationOf(parameter) : undefined;
}

export function belongsTo(parameter: CommandParameter, operation: RunningOperation): void {
  HandedOn.hold(parameter, operation);
}

class HandedOn extends Stamped {
  #operation: RunningOperation | undefined;

  /** A call may be handed on more than once: from a pool of a cluster to the next one, for a batch. */
  static hold(parameter: CommandParameter, operation: RunningOperation): void {
    if (#operation in parameter) parameter.#operation = operation;
    else new HandedOn(parameter).#operation = operation;
  }

  static operationOf(parameter: CommandParameter): RunningOperation | undefined {
    return #operation in parameter ? parameter.#operation : undefined;
  }
}

/** The next statement of `connection` belongs to `operation`. */
export function reserve(connection: Connection, operation: RunningOperation): void {
  reserved.set(connection, operation);
}

export function takeReserved(connection: Connection): RunningOperation | undefined {
  const operation = reserved.get(connection);
  if (operation) reserved.delete(connection);
  return operation;
}

/** Calls `fn`; the connection it asks for is one for `operation`. */
export function selectingFor<Result>(
  operation: RunningOperation | undefined,
  fn: () => Result,
): Result {
  const outer = setSelecting(operation);
  try {
    return fn();
  } finally {
    setSelecting(outer);
  }
}

/** From now on a connection that is asked for is one for `operation`. Returns what it was for. */
export function setSelecting(
  operation: RunningOperation | undefined,
): RunningOperation | undefined {
  const outer = selecting;
  selecting = operation;
  return outer;
}

export function selectingOperation(): RunningOperation | undefined {
  return selecting;
}

/** Calls `fn`; what it asks the server is nobody's operation. */
export function quietly<Result>(fn: () => Result): Result {
  const outer = isQuiet;
  isQuiet = true;
  try {
    return fn();
  } finally {
    isQuiet = outer;
  }
}

export function isCallQuiet(): boolean {
  return isQuiet;
}
