import { types } from 'node:util';

import { context, trace } from '@opentelemetry/api';

import { patchListeners } from '../../listeners.ts';
import type { Undo } from '../../../base/patch.ts';
import type { Carrier } from '../carrier.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { settling } from '../run-handler.ts';
import { describeMessage } from './attributes.ts';
import type { MqttClient, Packet } from './library-types.ts';

type Listener = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Listeners run in the context of their registration; each call of one for messages is a span. What the
 * client does with a message itself (`handleMessage`) is none.
 */
export function patchMessages(prototype: MqttClient, recorder: MessagingRecorder): Undo {
  return patchListeners(prototype, {
    around: (event, listener) =>
      event === 'message' ? consuming(listener as Listener, recorder) : listener,
  });
}

function consuming(listener: Listener, recorder: MessagingRecorder): Listener {
  // What another function returns may be in other hands as well: its rejection is not to be watched.
  const isAsync = types.isAsyncFunction(listener);
  return function onMessage(this: unknown, ...args): unknown {
    if (!recorder.isListening) return listener.apply(this, args);
    const [topic, payload, packet] = args as [unknown, unknown, Packet | undefined];
    const carriers = [packet?.properties?.userProperties as Carrier | undefined];
    const recording = context.with(trace.deleteSpan(context.active()), () =>
      recorder.startProcess(() => describeMessage('process', this as MqttClient, topic, payload), {
        carriers,
      }),
    );
    if (recording === undefined) return listener.apply(this, args);
    let result: unknown;
    try {
      result = recording.run(listener, this, ...args);
    } catch (error) {
      recording.end(error ?? String(error));
      throw error;
    }
    if (isAsync) return settling(recording, result as Promise<unknown>);
    recording.end();
    return result;
  };
}
