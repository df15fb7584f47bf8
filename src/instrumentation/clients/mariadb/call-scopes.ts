import { CallScope } from '../../../carry/call-scope.ts';
import type { PendingOperation } from '../../pending-operation.ts';
import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
import type { CommandParameter, Connection } from './library-types.ts';

/*
 * Finds the operation that a command belongs to.
 *
 * It is attached to the object with which the library passes a call from the pool to the command.
 * `reserved` is keyed by connection: a cluster runs its next statement on a connection that no
 * other call uses.
 */
const reserved = new WeakMap<Connection, PendingOperation>();
/** The requested connection is for this operation, of a cluster. */
export const selecting: CallScope<PendingOperation> = new CallScope();
/** Set while the library queries the server for its own purposes, which is not an operation. */
export const ownQuestion: CallScope<true> = new CallScope();

/** Returns the operation of the call that `parameter` represents. */
export function operationOfCall(
  parameter: CommandParameter | null | undefined,
): PendingOperation | undefined {
  return parameter ? workOf(parameter) : undefined;
}

/** A call may be passed on more than once: from one pool of a cluster to the next, for a batch. */
export function belongsTo(parameter: CommandParameter, operation: PendingOperation): void {
  attachWork(parameter, operation);
}

/** Assigns the next statement of `connection` to `operation`. */
export function reserve(connection: Connection, operation: PendingOperation): void {
  reserved.set(connection, operation);
}

export function takeReserved(connection: Connection): PendingOperation | undefined {
  const operation = reserved.get(connection);
  if (operation) reserved.delete(connection);
  return operation;
}
