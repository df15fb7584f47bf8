import type { RunningOperation } from '../../running-operation.ts';

/*
 * The operation that what the library makes next belongs to: `making` for the query that a pool
 * makes before it has a connection, `executing` for the statement that one call prepares and
 * executes. Both hold something only while that call is on the stack.
 */
let making: RunningOperation | undefined;
let executing: RunningOperation | undefined;

/** Calls `fn`; the query it makes belongs to `operation`. */
export function makingQuery<This, Args extends unknown[], Result>(
  operation: RunningOperation,
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  args: Args,
): Result {
  const outer = making;
  making = operation;
  try {
    return fn.apply(thisArg, args);
  } finally {
    making = outer;
  }
}

/** The operation for the query that has just been made; the next one is not for it. */
export function takeMaking(): RunningOperation | undefined {
  const operation = making;
  making = undefined;
  return operation;
}

/** Calls `fn`; the statement it executes belongs to `operation`. */
export function executingFor<This, Args extends unknown[], Result>(
  operation: RunningOperation | undefined,
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  args: Args,
): Result {
  const outer = executing;
  executing = operation;
  try {
    return fn.apply(thisArg, args);
  } finally {
    executing = outer;
  }
}

export function executingOperation(): RunningOperation | undefined {
  return executing;
}
