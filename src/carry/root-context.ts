import { AsyncResource } from 'node:async_hooks';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { hideFromRecords } from '../async/collecting.ts';
import { OperationScope } from './operation-scope.ts';

/*
 * Holds the context in which this module was loaded: that of start-up, which belongs to no request.
 * There is no other way to leave the `AsyncLocalStorage` context of a request.
 */
const startUp = hideFromRecords(new OperationScope('CLEW_ROOT'));
/** Whether the module was loaded in the course of a request, whose context `startUp` then holds. */
const wasLoadedInside = context.active() !== ROOT_CONTEXT;

/**
 * Calls `fn` outside of every request. Shared async resources are created here: a socket opened
 * while a request is active would otherwise keep that request's context for its whole life.
 */
export function runInRoot<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  ...args: Args
): Result {
  if (!wasLoadedInside) return startUp.run(fn, thisArg, ...args);
  return startUp.run(() => context.with(ROOT_CONTEXT, () => fn.apply(thisArg, args)), undefined);
}

/**
 * Calls `fn` outside of every trace, where the stores of the application's own AsyncLocalStorage
 * are to stay as they are.
 */
export function runOutsideTrace<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  ...args: Args
): Result {
  return context.with(ROOT_CONTEXT, fn, thisArg, ...args);
}

/** An async resource outside of every trace, for work of this package's own that goes on. */
export function resourceOutsideTrace(type: string): AsyncResource {
  return context.with(ROOT_CONTEXT, () => new AsyncResource(type));
}
