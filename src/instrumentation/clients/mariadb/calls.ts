import { CallScope } from '../../../carry/call-scope.ts';
import type { RunningOperation } from '../../running-operation.ts';
import { attachWork, workOf } from '../../../carry/unit-of-work.ts';
import type { CommandParameter, Connection } from './shapes.ts';

/*
 * Which operation a command belongs to.
 *
 * The object in which the library hands a call on, from the pool to the command, holds it.
 * `reserved` is by connection: a cluster gives its next statement to a connection that nobody else
 * has.
 */
const reserved = new WeakMap<Connection, RunningOperation>();
/** A connection that is asked for is one for this operation, of a cluster. */
export const selecting: CallScope<RunningOperation> = new CallScope();
/** Set while the library asks the server something for itself, which is no operation. */
export const ownQuestion: CallScope<true> = new CallScope();

/** The operation of the call that `parameter` stands for. */
export function operationOfCall(
  parameter: CommandParameter | null | undefined,
): RunningOperation | undefined {
  return parameter ? workOf(parameter) : undefined;
}

/** A call may be handed on more than once: from a pool of a cluster to the next one, for a batch. */
export function belongsTo(parameter: CommandParameter, operation: RunningOperation): void {
  attachWork(parameter, operation);
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
