import { context, trace } from '@opentelemetry/api';

import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { carrierOf, contextIn } from '../carrier.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import type { ChildProcessor, Job } from './library-types.ts';

/*
 * A function in a file of its own runs in another process or thread. The job is handed over there with
 * the context of its span, and the function runs in that: what it does is below the worker's span.
 */

/** Patches the class of jobs: one that goes to a sandbox takes the context of its span along. */
export function patchJob(prototype: Job, recorder: MessagingRecorder): Undo | undefined {
  const release = reservePatch(prototype, 'bullmq job');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'asJSONSandbox', (original) => {
      return function () {
        const json = original.call(this);
        const active = context.active();
        const isCarried = recorder.isListening && recorder.config.propagate;
        if (!isCarried || trace.getSpanContext(active) === undefined) return json;
        return { ...json, traceContext: carrierOf(active) };
      };
    }),
  ]);
}

/** Patches the class that calls the function over there. */
export function patchChildProcessor(prototype: ChildProcessor): Undo | undefined {
  const release = reservePatch(prototype, 'bullmq sandbox');
  if (!release) return undefined;
  return undoAll([
    release,
    patchMethod(prototype, 'start', (original) => {
      return function (job, token) {
        if (typeof job?.traceContext !== 'object') return original.call(this, job, token);
        const { traceContext, ...bare } = job;
        const handed = contextIn(traceContext, context.active());
        return context.with(handed, () => original.call(this, bare, token));
      };
    }),
  ]);
}
