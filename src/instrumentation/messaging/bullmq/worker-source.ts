import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { describeProcess } from '../bull-shared/attributes.ts';
import { carrierIn, isDeferred } from '../bull-shared/job-context.ts';
import { beginJob, patchJobListeners } from '../bull-shared/job-listeners.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { runHandler } from '../run-handler.ts';
import { partsOf } from './parts.ts';
import type { Worker } from './library-types.ts';

/** Patches the class of workers: the application's function runs in a span of its own for each attempt. */
export function patchWorker(prototype: Worker, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'bullmq worker');
  if (!release) return undefined;
  return undoAll([
    release,
    patchJobListeners(prototype),
    patchMethod(prototype, 'callProcessJob', (original) => {
      return function (job, ...rest) {
        const isOurs = !this.opts?.telemetry && recorder.isListening;
        const recording = isOurs
          ? recorder.startProcess(() => describeProcess(partsOf(this), job), {
              carriers: [carrierIn(job.opts)],
              isDeferred: isDeferred(job.opts),
            })
          : undefined;
        if (recording === undefined) return original.call(this, job, ...rest);
        return runHandler(
          recording,
          () => {
            beginJob(this, job);
            return original.call(this, job, ...rest);
          },
          failureOf,
        );
      };
    }),
  ]);
}

/**
 * What a function ended with is no failure where it only says that the job goes on later: it put the
 * job off, waits for other jobs, or keeps to a rate.
 */
function failureOf(error: unknown): unknown {
  const { name, message } = (error ?? {}) as Partial<Error>;
  const isPutOff =
    name === 'DelayedError' ||
    name === 'WaitingError' ||
    name === 'WaitingChildrenError' ||
    message === 'bullmq:rateLimitExceeded';
  return isPutOff ? undefined : (error ?? String(error));
}
