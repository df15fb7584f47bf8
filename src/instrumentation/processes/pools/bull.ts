import { context } from '@opentelemetry/api';

import { defaultOf, type ModuleExports, type ModulePatch } from '../../module-hooks.ts';
import { reservePatch, patchMethod, undoAll } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import { injected } from '../carrier.ts';
import { CONTEXT_FIELD } from '../received-messages.ts';

interface Child {
  send(message: unknown, ...rest: unknown[]): unknown;
}
interface ChildPool {
  retain(file: unknown): Promise<Child>;
}

/**
 * The sandboxed processors of `bull` 4: the message that hands a job to a process, which is Bull's own,
 * has the context of the job's span. A process is started for the first job that finds none, and
 * belongs to no job.
 */
export const bull: ModulePatch = {
  module: 'bull/lib/process/child-pool',
  versions: '>=4 <5',
  patch(exports: ModuleExports) {
    const makePool = defaultOf(exports) as unknown;
    if (typeof makePool !== 'function') return undefined;
    // The class is not exported, and a pool is two empty tables.
    const pool = (makePool as () => object)();
    const prototype = Object.getPrototypeOf(pool) as Partial<ChildPool>;
    if (typeof prototype.retain !== 'function') return undefined;
    const release = reservePatch(prototype, 'job contexts');
    if (!release) return undefined;
    return undoAll([
      release,
      patchMethod(prototype as ChildPool, 'retain', (original) => {
        return async function retain(file) {
          const child = await runInRoot(original, this, file);
          if (reservePatch(child, 'job contexts')) {
            patchMethod(child, 'send', (send) => {
              return function (message, ...rest) {
                return send.call(this, withContext(message), ...rest);
              };
            });
          }
          return child;
        };
      }),
    ]);
  },
};

function withContext(message: unknown): unknown {
  const isJob = (message as { cmd?: unknown } | null | undefined)?.cmd === 'start';
  const carrier = isJob ? injected(context.active()) : undefined;
  return carrier ? { ...(message as object), [CONTEXT_FIELD]: carrier } : message;
}
