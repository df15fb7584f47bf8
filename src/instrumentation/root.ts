import { AsyncResource } from 'node:async_hooks';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

/*
 * Holds the context this module was loaded in: that of start-up, which belongs to no request. For
 * AsyncLocalStorage there is no other way out of a request's context.
 */
const startUp = new AsyncResource('CLEW_ROOT');

/**
 * Calls `fn` outside of every request. What is shared is born here: a socket opened while a request
 * is active would otherwise hold that request's context as long as it lives.
 */
export function runInRoot<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  thisArg: This,
  ...args: Args
): Result {
  return startUp.runInAsyncScope(() => context.with(ROOT_CONTEXT, () => fn.apply(thisArg, args)));
}
