import { reservePatch, patchMethod, undoAll, type Undo } from '../../../base/patch.ts';
import { describeSend, idOf } from '../bull-shared/attributes.ts';
import { copied, copyWith, withContext } from '../bull-shared/job-context.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { runCall } from '../run-call.ts';
import { partsOf } from './parts.ts';
import type { Flow, FlowProducer } from './library-types.ts';

/** Patches the class of flow producers: a tree of jobs gets one span, which every job carries. */
export function patchFlowProducer(
  prototype: FlowProducer,
  recorder: MessagingRecorder,
): Undo | undefined {
  const release = reservePatch(prototype, 'bullmq flows');
  if (!release) return undefined;
  const start = (producer: FlowProducer, flows: readonly Flow[]): MessageRecording | undefined => {
    const { opts, telemetry = opts?.telemetry } = producer as {
      telemetry?: unknown;
    } & FlowProducer;
    if (telemetry) return undefined;
    return recorder.start(() => {
      const [first] = flows;
      const isOneQueue = flows.every(({ queueName }) => queueName === first?.queueName);
      return describeSend(partsOf(producer, isOneQueue ? first?.queueName : undefined), {
        jobName: flows.length === 1 ? first?.name : undefined,
        batchSize: sizeOf(flows),
      });
    });
  };
  return undoAll([
    release,
    patchMethod(prototype, 'add', (original) => {
      return function (flow, opts) {
        const recording = isTree(flow) ? start(this, [flow]) : undefined;
        if (recording === undefined) return original.call(this, flow, opts);
        const given = copied(flow, () => carrying(flow, recording.carrier()));
        return runCall(
          recording,
          () => original.call(this, given, opts),
          (node) => recording.identify(idOf(node?.job?.id)),
        );
      };
    }),
    patchMethod(prototype, 'addBulk', (original) => {
      return function (flows) {
        const isKnown = Array.isArray(flows) && flows.every((flow) => isTree(flow));
        const recording = isKnown ? start(this, flows) : undefined;
        if (recording === undefined) return original.call(this, flows);
        const carrier = recording.carrier();
        const given = copied(flows, () => flows.map((flow) => carrying(flow, carrier)));
        return runCall(recording, () => original.call(this, given));
      };
    }),
  ]);
}

/** Deeper than any flow is, and not so deep that walking through it could fail. */
const MAX_DEPTH = 1000;

/** Whether `flow` is a tree that can be copied; what is none BullMQ is to refuse itself. */
function isTree(flow: unknown, depth = 0): flow is Flow {
  if (typeof flow !== 'object' || flow === null || depth > MAX_DEPTH) return false;
  const { children } = flow as Flow;
  if (children === undefined || children === null) return true;
  return Array.isArray(children) && children.every((child) => isTree(child, depth + 1));
}

/** A copy of a tree whose jobs carry a context. */
function carrying(flow: Flow, carrier: Record<string, string> | undefined): Flow {
  if (carrier === undefined) return flow;
  return copyWith(flow, {
    opts: withContext(flow.opts, carrier),
    ...(flow.children && { children: flow.children.map((child) => carrying(child, carrier)) }),
  });
}

function sizeOf(flows: readonly Flow[]): number {
  return flows.reduce((size, { children }) => size + 1 + sizeOf(children ?? []), 0);
}
