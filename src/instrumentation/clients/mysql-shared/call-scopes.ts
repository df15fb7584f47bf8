import { CallScope } from '../../../carry/call-scope.ts';
import type { PendingOperation } from '../../pending-operation.ts';

/*
 * Values that the patches of pools pass to those of connections. They are entered and left around a
 * call, and not by a function that makes the call: the libraries capture a stack trace for each
 * statement, and every additional frame in it costs more than the rest of a wrapper.
 */

/** The operation of the query that a pool makes before it has a connection. */
export const making: CallScope<PendingOperation> = new CallScope();

/** The operation of the statement that one call prepares and executes. */
export const executing: CallScope<PendingOperation> = new CallScope();

/** Set while a pool pings a connection before it hands it out. */
export const acquiring: CallScope<true> = new CallScope();
