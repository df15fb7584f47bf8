import {
  reservePatch,
  patchHotMethod,
  patchMethod,
  undoAll,
  type Undo,
} from '../../../base/patch.ts';
import { describeProcess, describeSend, idOf, type QueueParts } from '../bull-shared/attributes.ts';
import {
  carrierIn,
  copied,
  copyWith,
  isDeferred,
  withContext,
  type JobOptions,
} from '../bull-shared/job-context.ts';
import { beginJob, patchJobListeners } from '../bull-shared/job-listeners.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { runCall } from '../run-call.ts';
import { runHandler } from '../run-handler.ts';
import type { Handler, Queue } from './library-types.ts';

/** Patches the class of queues, which adds jobs and works on them. */
export function patchQueue(prototype: Queue, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'bull queue');
  if (!release) return undefined;
  return undoAll([
    release,
    patchJobListeners(prototype),
    patchMethod(prototype, 'add', (original) => {
      return function (...args) {
        const isNamed = typeof args[0] === 'string';
        const jobName = isNamed ? args[0] : undefined;
        const recording = recorder.start(() => describeSend(partsOf(this), { jobName }));
        if (recording === undefined) return original.apply(this, args);
        const place = isNamed ? 2 : 1;
        const given = copied(args, () => {
          const opts = withContext(args[place] as JobOptions | undefined, recording.carrier());
          return Object.assign([...args], { [place]: opts });
        });
        return runCall(
          recording,
          () => original.apply(this, given),
          (job) => recording.identify(idOf(job?.id)),
        );
      };
    }),
    patchMethod(prototype, 'addBulk', (original) => {
      return function (jobs) {
        const recording = Array.isArray(jobs)
          ? recorder.start(() => describeSend(partsOf(this), { batchSize: jobs.length }))
          : undefined;
        if (recording === undefined) return original.call(this, jobs);
        const carrier = recording.carrier();
        const given = copied(jobs, () =>
          jobs.map((job) => copyWith(job, { opts: withContext(job.opts, carrier) })),
        );
        return runCall(recording, () => original.call(this, given));
      };
    }),
    patchHotMethod(prototype, 'setHandler', (original, patch) => {
      return function (name, handler) {
        original.call(this, name, handler);
        if (patch.isUndone) return;
        const bare = this.handlers[name];
        if (bare) this.handlers[name] = processing(this, bare, recorder, () => patch.isUndone);
      };
    }),
  ]);
}

/** `handler` in a span of its own for each attempt of a job. */
function processing(
  queue: Queue,
  handler: Handler,
  recorder: MessagingRecorder,
  isUndone: () => boolean,
): Handler {
  return function (job, ...rest) {
    const recording =
      !isUndone() && recorder.isListening
        ? recorder.startProcess(() => describeProcess(partsOf(queue), job), {
            carriers: [carrierIn(job.opts)],
            isDeferred: isDeferred(job.opts),
          })
        : undefined;
    if (recording === undefined) return handler(job, ...rest);
    return runHandler(recording, () => {
      beginJob(queue, job);
      return handler(job, ...rest);
    });
  };
}

function partsOf(queue: Queue): QueueParts {
  return {
    system: 'bull',
    name: queue.name,
    connection: queue.clientInitialized ? queue.client : undefined,
  };
}
