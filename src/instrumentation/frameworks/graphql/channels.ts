import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { activeServerRequest } from '../../http/server/server-request.ts';
import type { ModuleExports } from '../../module-hooks.ts';
import type { Undo } from '../../../base/patch.ts';
import { recordErrors, showOperation, type ExecutionArgs } from './operation.ts';

/*
 * graphql publishes its executions from version 17 on, whichever of its functions is called.
 */

const START = 'tracing:graphql:execute:start';
/** The result is there with the first of these, or with the second one where it is awaited. */
const ENDS = ['tracing:graphql:execute:end', 'tracing:graphql:execute:asyncEnd'];

/** Whether `exports`, of `graphql/execution/execute`, are those of a version that publishes. */
export function publishesExecutions(exports: ModuleExports): boolean {
  return typeof exports?.experimentalExecuteIncrementally === 'function';
}

/** Follows what is executed from now on. */
export function followExecutions(): Undo {
  const start = (message: unknown): void => {
    const request = activeServerRequest();
    if (request !== undefined) showOperation(request, message as ExecutionArgs);
  };
  const end = (message: unknown): void => {
    const { result } = message as { result?: unknown };
    const request = result === undefined ? undefined : activeServerRequest();
    if (request !== undefined) recordErrors(request, result);
  };
  subscribe(START, start);
  for (const name of ENDS) subscribe(name, end);
  return () => {
    unsubscribe(START, start);
    for (const name of ENDS) unsubscribe(name, end);
  };
}
