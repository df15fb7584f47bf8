import { CallScope } from '../../../carry/call-scope.ts';
import type { RunningOperation } from '../../running-operation.ts';

/*
 * What the patches of pools tell those of connections. They are entered and left around a call, and
 * not by a function that calls it: the libraries take a stack trace for each statement, and every
 * frame of ours in one of them costs more than the rest of a wrapper.
 */

/** The operation of the query that a pool makes before it has a connection. */
export const making: CallScope<RunningOperation> = new CallScope();

/** The operation of the statement that one call prepares and executes. */
export const executing: CallScope<RunningOperation> = new CallScope();

/** Set while a pool asks a connection for a sign of life before it hands it out. */
export const acquiring: CallScope<true> = new CallScope();
