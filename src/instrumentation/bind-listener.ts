import { AsyncResource } from 'node:async_hooks';

import { leaveDomain, reenterDomain } from '../async/domains.ts';
import { declareType } from '../carry/async-resource-types.ts';

/**
 * `listener` in the context that is active now, however often it is called. For events that no call
 * asked for: they belong to whoever registered for them.
 */
export function bindListener<This, Args extends unknown[], Result>(
  type: string,
  listener: (this: This, ...args: Args) => Result,
): (this: This, ...args: Args) => Result {
  // Nobody says when the last event was, so the destroy comes with the garbage collection.
  declareType(type, 'binding');
  const domain = leaveDomain();
  const resource = new AsyncResource(type);
  reenterDomain(domain);
  return function boundListener(this: This, ...args: Args): Result {
    return resource.runInAsyncScope(listener, this, ...args);
  };
}
