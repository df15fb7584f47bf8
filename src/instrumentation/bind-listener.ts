import { AsyncResource } from 'node:async_hooks';

import { leaveDomain, reenterDomain } from '../async/domains.ts';
import { declareType } from '../carry/async-resource-types.ts';

/**
 * Returns `listener` bound to the active context, for any number of calls. For events that no call
 * caused: they belong to the code that registered the listener.
 */
export function bindListener<This, Args extends unknown[], Result>(
  type: string,
  listener: (this: This, ...args: Args) => Result,
): (this: This, ...args: Args) => Result {
  // The last event is not announced, so `destroy` is emitted on garbage collection.
  declareType(type, 'binding');
  const domain = leaveDomain();
  const resource = new AsyncResource(type);
  reenterDomain(domain);
  return function boundListener(this: This, ...args: Args): Result {
    return resource.runInAsyncScope(listener, this, ...args);
  };
}
