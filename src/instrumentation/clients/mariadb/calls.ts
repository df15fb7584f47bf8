import type { RunningOperation } from '../../running-operation.ts';
import type { CommandParameter, Connection } from './shapes.ts';

/*
 * Which operation a command belongs to.
 *
 * `called` is by the object in which the library hands a call on, from the pool to the command.
 * `reserved` is by connection: a cluster gives its next statement to a connection that nobody else
 * has. `selecting` holds the operation of a cluster while its call is on the stack, and `isQuiet`
 * is true while the library asks something on its own account.
 */
const called = new WeakMap<CommandParameter, RunningOperation>();
const reserved = new WeakMap<Connection, RunningOperation>();
let selecting: RunningOperation | undefined;
let isQuiet = false;

/** The operation of the call that `parameter` stands for. */
export function operationOfCall(
  parameter: CommandParameter | null | undefined,
): RunningOperation | undefined {
  return parameter ? called.get(parameter) : undefined;
}

export function belongsTo(parameter: CommandParameter, operation: RunningOperation): void {
  called.set(parameter, operation);
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
  const outer = selecting;
  selecting = operation;
  try {
    return fn();
  } finally {
    selecting = outer;
  }
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
