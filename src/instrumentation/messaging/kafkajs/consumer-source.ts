import { context, trace } from '@opentelemetry/api';

import { bindListener } from '../../bind-listener.ts';
import { patchMethod, type PatchState } from '../../../base/patch.ts';
import { runInRoot } from '../../../carry/root-context.ts';
import type { Carrier } from '../carrier.ts';
import type { MessageOperation } from '../message-operation.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { runHandler } from '../run-handler.ts';
import { describeBatch, describeMessage } from './attributes.ts';
import type { Consumer, Handler, RunConfig } from './library-types.ts';

/** How many messages of a batch are looked at for their producers. */
const MAX_LINKED = 1000;

/** As a property that was assigned: another instrumentation may replace it again. */
const PROPERTY = { configurable: true, enumerable: true, writable: true };

/** Records the handlers of `consumer`, which is an object of functions. Its loop belongs to no request. */
export function watchConsumer(
  consumer: Consumer,
  consumerGroup: string | undefined,
  recorder: MessagingRecorder,
  patch: PatchState,
): void {
  patchMethod(consumer, 'run', (original) => {
    return function run(this: Consumer, config, ...rest: []): Promise<void> {
      if (patch.isUndone) return original.call(this, config, ...rest);
      const watched = watchedConfig(config, consumerGroup, recorder);
      return runInRoot(original, this, watched, ...rest);
    };
  });
}

function watchedConfig(
  config: RunConfig | undefined,
  consumerGroup: string | undefined,
  recorder: MessagingRecorder,
): RunConfig | undefined {
  if (typeof config !== 'object' || config === null) return config;
  const { eachMessage, eachBatch } = config;
  // Whatever else is in it, and wherever it has it from.
  const watched = Object.create(config) as RunConfig;
  const set = (key: keyof RunConfig, value: unknown): void =>
    void Object.defineProperty(watched, key, { value, ...PROPERTY });
  if (typeof eachMessage === 'function') {
    const handler = handling(eachMessage, recorder, (payload) => ({
      describe: () => describeMessage(payload, consumerGroup),
      carriers: [payload.message.headers as Carrier | undefined],
    }));
    set('eachMessage', handler);
  }
  if (typeof eachBatch === 'function') {
    const handler = handling(eachBatch, recorder, (payload) => ({
      describe: () => describeBatch(payload, consumerGroup),
      carriers: payload.batch.messages
        .slice(0, MAX_LINKED)
        .map(({ headers }) => headers as Carrier | undefined),
    }));
    set('eachBatch', handler);
  }
  return watched;
}

interface Seen {
  describe(this: void): MessageOperation;
  carriers: (Carrier | undefined)[];
}

/** `handler` in the context of `run` without its span, and inside the span of what it is given. */
function handling<Payload>(
  handler: Handler<Payload>,
  recorder: MessagingRecorder,
  see: (payload: Payload) => Seen,
): Handler<Payload> {
  const handle: Handler<Payload> = function (this: unknown, payload, ...rest): unknown {
    if (!recorder.isListening) return handler.call(this, payload, ...rest);
    const recording = context.with(trace.deleteSpan(context.active()), () => {
      const { describe, carriers } = see(payload);
      return recorder.startProcess(describe, { carriers });
    });
    if (recording === undefined) return handler.call(this, payload, ...rest);
    return runHandler(recording, () => handler.call(this, payload, ...rest));
  };
  return bindListener('KAFKA_HANDLER', handle);
}
