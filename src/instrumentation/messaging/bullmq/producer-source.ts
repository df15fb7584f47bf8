import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { describeSend, idOf } from '../bull-shared/attributes.ts';
import { copied, copyWith, withContext } from '../bull-shared/job-context.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { runCall } from '../run-call.ts';
import { partsOf } from './parts.ts';
import type { Base, Job, Queue } from './library-types.ts';

/** Patches the class of queues: jobs that are added get a span, and carry its context. */
export function patchQueue(prototype: Queue, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'bullmq queue');
  if (!release) return undefined;
  const start = (
    queue: Base,
    jobName: unknown,
    batchSize?: number,
  ): MessageRecording | undefined =>
    queue.opts?.telemetry
      ? undefined
      : recorder.start(() => describeSend(partsOf(queue), { jobName, batchSize }));
  return undoAll([
    release,
    patchMethod(prototype, 'add', (original) => {
      return function (name, data, opts) {
        const recording = start(this, name);
        if (recording === undefined) return original.call(this, name, data, opts);
        const given = copied(opts, () => withContext(opts, recording.carrier()));
        return runCall(recording, () => original.call(this, name, data, given), identify);
        function identify(job?: Job): void {
          recording?.identify(idOf(job?.id));
        }
      };
    }),
    patchMethod(prototype, 'addBulk', (original) => {
      return function (jobs) {
        const recording = Array.isArray(jobs) ? start(this, undefined, jobs.length) : undefined;
        if (recording === undefined) return original.call(this, jobs);
        const carrier = recording.carrier();
        const given = copied(jobs, () =>
          jobs.map((job) => copyWith(job, { opts: withContext(job.opts, carrier) })),
        );
        return runCall(recording, () => original.call(this, given));
      };
    }),
    patchScheduler(prototype, start),
  ]);
}

/** A scheduler keeps the context of its latest caller, which all of its jobs are linked to. */
function patchScheduler(
  prototype: Queue,
  start: (queue: Base, jobName: unknown) => MessageRecording | undefined,
): Undo | undefined {
  const table = prototype as Required<Queue>;
  return patchMethod(table, 'upsertJobScheduler', (original) => {
    return function (id, repeat, template) {
      const recording = start(this, template?.name ?? id);
      if (recording === undefined) return original.call(this, id, repeat, template);
      const given = copied(template, () => {
        const opts = withContext(template?.opts, recording.carrier());
        return opts && copyWith(template ?? {}, { opts });
      });
      return runCall(recording, () => original.call(this, id, repeat, given), identify);
      function identify(job?: Job): void {
        recording?.identify(idOf(job?.id));
      }
    };
  });
}
