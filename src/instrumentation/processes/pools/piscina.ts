import { context } from '@opentelemetry/api';

import type { ModuleExports, ModulePatch } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { injected } from '../carrier.ts';
import { CONTEXT_FIELD } from '../received-messages.ts';

interface Task {
  /** A task is an `AsyncResource` that was made in the call of `run`. */
  runInAsyncScope<Result>(fn: () => Result): Result;
}
interface Port {
  postMessage(message: object, transfer?: unknown): void;
}
interface WorkerInfo {
  readonly port: Port;
  postTask(task: Task): unknown;
}
interface PiscinaWorkers {
  WorkerInfo: { prototype: WorkerInfo } & ((...args: unknown[]) => unknown);
}

/**
 * `piscina`: the message that hands a task to a worker, which is piscina's own, has the context of
 * the caller. A worker is made for the first task that finds none, and belongs to no caller.
 */
export const piscina: ModulePatch = {
  module: 'piscina/dist/worker_pool/index.js',
  versions: '>=4 <6',
  patch(exports: ModuleExports) {
    const workers = exports as Partial<PiscinaWorkers>;
    const { WorkerInfo } = workers;
    if (typeof WorkerInfo?.prototype?.postTask !== 'function') return undefined;
    const release = reservePatch(WorkerInfo, 'task contexts');
    if (!release) return undefined;
    return undoAll([
      release,
      patchMethod(WorkerInfo.prototype, 'postTask', (original) => {
        return function (task) {
          // None is given as well: the worker waits for tasks within the one before.
          const carrier = task.runInAsyncScope(() => injected(context.active())) ?? {};
          const undo = patchMethod(this.port, 'postMessage', (post) => {
            return function (message, ...rest) {
              return post.call(this, { ...message, [CONTEXT_FIELD]: carrier }, ...rest);
            };
          });
          try {
            return original.call(this, task);
          } finally {
            undo?.();
          }
        };
      }),
      patchMethod(workers as PiscinaWorkers, 'WorkerInfo', (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          return new.target
            ? runInRoot(Reflect.construct, undefined, original, args, new.target)
            : Reflect.apply(original, this, args);
        };
      }),
    ]);
  },
};
