import type { EventEmitter } from 'node:events';

import { callerHere, patchCallersEvents } from '../../callers-events.ts';
import type { OperationResource } from '../../../carry/operation-resource.ts';
import type { Undo } from '../../../base/patch.ts';
import { attachWork, detachWork, workOf } from '../../../carry/unit-of-work.ts';

/* What a worker tells of a job that has ended is heard in the context of the job's span. */

const EVENTS: ReadonlySet<unknown> = new Set(['completed', 'failed']);

/** The events of `job` at `emitter` are heard in the context that is active now. */
export function beginJob(emitter: EventEmitter, job: object): void {
  if (emitter.listenerCount('completed') + emitter.listenerCount('failed') === 0) return;
  const caller = callerHere();
  if (caller) attachWork(job, caller);
  else detachWork(job);
}

/** Patches a class of emitters whose events have a job as their first argument. */
export function patchJobListeners(prototype: EventEmitter): Undo {
  return patchCallersEvents(prototype, (_emitter, event, [job]) =>
    EVENTS.has(event) && typeof job === 'object' && job !== null
      ? workOf<OperationResource>(job)
      : undefined,
  );
}
