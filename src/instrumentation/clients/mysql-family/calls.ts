import type { RunningOperation } from '../../running-operation.ts';

/*
 * What holds while a call is on the stack, and is set back by whoever set it: `making` is the
 * operation of the query that a pool makes before it has a connection, `executing` that of the
 * statement that one call prepares and executes, and `acquiring` whether a pool asks a connection for
 * a sign of life before it hands it out.
 *
 * They are set around a call and not by a function that calls it: the libraries take stack traces for
 * each statement, and every frame of ours in one of them costs more than the rest of a wrapper.
 */
let making: RunningOperation | undefined;
let executing: RunningOperation | undefined;
let acquiring = false;

/** From now on the next query made belongs to `operation`. Returns what it belonged to before. */
export function setMaking(operation: RunningOperation | undefined): RunningOperation | undefined {
  const outer = making;
  making = operation;
  return outer;
}

/** The operation for the query that has just been made; the next one is not for it. */
export function takeMaking(): RunningOperation | undefined {
  const operation = making;
  making = undefined;
  return operation;
}

/** From now on statements belong to `operation`. Returns what they belonged to before. */
export function setExecuting(
  operation: RunningOperation | undefined,
): RunningOperation | undefined {
  const outer = executing;
  executing = operation;
  return outer;
}

export function executingOperation(): RunningOperation | undefined {
  return executing;
}

/** From now on what is asked of connections tells the pool alone, or no longer. */
export function setAcquiring(isAcquiring: boolean): void {
  acquiring = isAcquiring;
}

export function isAcquiring(): boolean {
  return acquiring;
}
