import { claim, patchMethod, undoAll, type Undo } from '../../patch.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { patchListeners } from '../../listeners.ts';
import { isSettingUp, setUp } from '../../redis/setup.ts';
import { RunningOperation } from '../../running-operation.ts';
import { handOn, settling } from './calls.ts';
import type { ClassOf, Method, Router } from './shapes.ts';

/*
 * Clusters and sentinels. A call is one operation, whichever clients it is sent to and however
 * often: the function that sends it hands it on to each of them. `handing` holds the functions that
 * do so already.
 */
const handing = new WeakSet<object>();

export function patchRouter({ prototype }: ClassOf<Router>, recorder: Recorder): Undo | undefined {
  const release = claim(prototype, 'redis router');
  if (!release) return undefined;
  const methods = prototype as unknown as Record<string, Method>;
  return undoAll([
    release,
    patchListeners(prototype),
    patchMethod(methods, 'connect', (original) => {
      return function connect(this: unknown, ...args) {
        return setUp(original, this, ...args);
      };
    }),
    patchMethod(prototype, '_execute', (original) => {
      return function _execute(...args) {
        return routed(original, this, args, recorder, handingOn);
      };
    }),
    // Makes the functions that it gives to the above.
    patchMethod(prototype, '_executeWithPolicies', (original) => {
      return function _executeWithPolicies(...args) {
        return routed(original, this, args, recorder, (operation, make) => {
          return function makeHandingOn(this: unknown, ...given) {
            return handingOn(operation, make.apply(this, given) as Method);
          };
        });
      };
    }),
  ]);
}

function routed(
  original: (this: Router, ...args: unknown[]) => unknown,
  router: Router,
  args: unknown[],
  recorder: Recorder,
  replace: (operation: RunningOperation, fn: Method) => Method,
): unknown {
  const index = args.findIndex((arg) => typeof arg === 'function');
  const fn = args[index] as Method | undefined;
  if (!fn || handing.has(fn) || !recorder.isListening || isSettingUp()) {
    return original.apply(router, args);
  }
  const operation = new RunningOperation('REDIS_COMMAND');
  return settling(operation, () =>
    original.apply(router, args.with(index, replace(operation, fn))),
  );
}

function handingOn(operation: RunningOperation, fn: Method): Method {
  const askedAt = Date.now();
  const handingFn: Method = function (this: unknown, ...args) {
    return handOn({ operation, askedAt: operation.isDescribed ? undefined : askedAt }, () =>
      operation.run(fn, this, ...args),
    );
  };
  handing.add(handingFn);
  return handingFn;
}
