import type { EventEmitter } from 'node:events';

import { CallScope } from '../../../carry/call-scope.ts';
import { callerHere, type CallerOf } from '../../callers-events.ts';
import { patchListeners } from '../../listeners.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import { reservePatch, patchMethod, patchOnce, undoAll, type Undo } from '../../../base/patch.ts';
import { createEndpoint } from '../../recorder/endpoint.ts';
import type { PoolReading } from '../../recorder/pool-metrics.ts';
import type { Recorder } from '../../recorder/recorder.ts';
import { runInRoot } from '../../../carry/root-context.ts';

/** The parts of a pool that are used, in all supported versions. */
interface GenericPool extends EventEmitter {
  readonly borrowed: number;
  readonly available: number;
  readonly pending: number;
  readonly max: number;
  readonly min: number;
  acquire(priority?: number): PromiseLike<object>;
  release(resource: object): unknown;
  destroy(resource: object): unknown;
  /** Calls the application's factory to create a resource. */
  _createResource(): unknown;
  /** Called with each promise of the factory. */
  _trackOperation(operation: PromiseLike<unknown>, ...rest: unknown[]): unknown;
}

/** The caller that needs the resource being created, while that call is on the stack. */
const creating = new CallScope<OperationResource>();
/** The caller whose request failed; an entry is collected with the error. */
const failedFor = new WeakMap<object, OperationResource>();

const callerOf: CallerOf = (_pool, _event, [reason]) =>
  isObject(reason) ? failedFor.get(reason) : undefined;

/** A pool does not know what it holds, so its metrics use the name of the library. */
const ENDPOINT = createEndpoint({ system: 'generic-pool' });

export function patchPool(
  { prototype }: { prototype: GenericPool },
  recorder: Recorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'generic-pool metrics');
  if (!release) return undefined;
  const givingBack = (original: (this: GenericPool, resource: object) => unknown) =>
    function giveBack(this: GenericPool, resource: object): unknown {
      if (isObject(resource)) recorder.pools.gaveBack(this, resource);
      return original.call(this, resource);
    };
  return undoAll([
    release,
    patchListeners(prototype, { callerOf }),
    patchOnce(prototype, '_createResource', 'root', (original) => {
      return function _createResource() {
        const outer = creating.enter(callerHere());
        try {
          return runInRoot(original, this);
        } finally {
          creating.leave(outer);
        }
      };
    }),
    patchMethod(prototype, '_trackOperation', (original) => {
      return function _trackOperation(operation, ...rest) {
        const caller = creating.current ?? callerHere();
        const remember = (reason: unknown): void => {
          if (caller && isObject(reason)) failedFor.set(reason, caller);
        };
        // The pool's own promise, whose rejection the pool handles afterwards.
        if (caller) operation.then(undefined, remember);
        return original.call(this, operation, ...rest);
      };
    }),
    patchMethod(prototype, 'acquire', (original) => {
      return function acquire(priority) {
        if (!recorder.pools.isListening) return original.call(this, priority);
        recorder.pools.watch(this, ENDPOINT, readPool);
        const startedAt = performance.now();
        // Returns a promise in place of the other; its rejection counts as handled, or not, just as
        // before.
        return original.call(this, priority).then(
          (resource) => {
            const now = performance.now();
            recorder.pools.waited(this, now - startedAt);
            if (isObject(resource)) recorder.pools.took(resource, now);
            return resource;
          },
          (error: unknown) => {
            if (isTimeout(error)) recorder.pools.timedOut(this);
            throw error;
          },
        );
      };
    }),
    patchMethod(prototype, 'release', givingBack),
    patchMethod(prototype, 'destroy', givingBack),
  ]);
}

/** The package exports no class of errors, and bundlers change the names of classes. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'ResourceRequest timed out';
}

function isObject(resource: unknown): resource is object {
  return typeof resource === 'object' && resource !== null;
}

function readPool({ borrowed, available, pending, max, min }: GenericPool): PoolReading {
  return { used: borrowed, idle: available, pending, max, idleMin: min };
}
