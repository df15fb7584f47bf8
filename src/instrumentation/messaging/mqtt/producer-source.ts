import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

import { patchHotMethod, type Undo } from '../../../base/patch.ts';
import { bindCallback } from '../../pending-operation.ts';
import { guard } from '../guard.ts';
import type { MessageRecording } from '../message-recording.ts';
import type { MessagingRecorder } from '../messaging-recorder.ts';
import { describeMessage } from './attributes.ts';
import type { MqttClient, Properties, PublishOptions } from './library-types.ts';

/*
 * The recordings of each client that wait for a callback. The client calls none for a message that it
 * cannot write: what is left when the client has ended ends with it.
 */
const waiting = new WeakMap<MqttClient, Set<MessageRecording>>();

export function isWaiting(client: MqttClient): boolean {
  return (waiting.get(client)?.size ?? 0) > 0;
}

/** Ends what waits for a callback of a client that has ended. */
export function endForgotten(client: MqttClient): void {
  for (const recording of waiting.get(client) ?? []) {
    recording.add({ [ATTR_ERROR_TYPE]: 'client_ended' });
    recording.end();
  }
  waiting.delete(client);
}

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/**
 * `publish`, whose span lasts to the callback, which the client calls once the message is written (QoS 0)
 * or acknowledged (1 and 2); without one the span ends with the call, and the client reports what fails
 * by an event.
 */
export function patchPublish(prototype: MqttClient, recorder: MessagingRecorder): Undo | undefined {
  return patchHotMethod(prototype, 'publish', (original, patch) => {
    return function publish(this: MqttClient, ...args: unknown[]): unknown {
      if (patch.isUndone) return original.apply(this, args);
      const [topic, payload, options] = args;
      const recording = recorder.start(() => describeMessage('send', this, topic, payload));
      const at = typeof options === 'function' ? 2 : 3;
      const callback = args[at] as Callback | undefined;
      const isCalled = typeof callback === 'function';
      if (isCalled) {
        const bound = bindCallback('MQTT_PUBLISH', callback);
        const open = waiting.get(this) ?? new Set();
        if (recording) waiting.set(this, open.add(recording));
        args[at] = function published(this: unknown, ...results: unknown[]): unknown {
          if (recording) open.delete(recording);
          recording?.end(results[0] ?? undefined);
          return bound.apply(this, results);
        };
      }
      // Only version 5 of the protocol has a place for the context.
      const carrier = this.options?.protocolVersion === 5 ? recording?.carrier() : undefined;
      if (carrier) {
        guard('put the trace into a message', () => {
          const given =
            typeof options === 'function' ? undefined : (options as PublishOptions | undefined);
          const carrying = withUserProperties(given, carrier);
          if (carrying) args.splice(2, typeof options === 'function' ? 0 : 1, carrying);
        });
      }
      try {
        const result = original.apply(this, args);
        if (!isCalled) recording?.end();
        return result;
      } catch (error) {
        recording?.end(error ?? String(error));
        throw error;
      }
    };
  });
}

/** A copy of the caller's options with the fields of `carrier`; undefined where these have no place. */
function withUserProperties(
  options: PublishOptions | null | undefined,
  carrier: Readonly<Record<string, string>>,
): PublishOptions | undefined {
  if (options === undefined || options === null) {
    return { properties: { userProperties: { ...carrier } } };
  }
  if (typeof options !== 'object') return undefined;
  const { properties = {} } = options;
  if (typeof properties !== 'object' || properties === null) return undefined;
  const { userProperties = {} } = properties;
  if (typeof userProperties !== 'object' || userProperties === null) return undefined;
  // The rest is inherited, as it may be from the objects of the caller.
  const own = Object.create(properties) as Properties;
  Object.assign(own, properties, { userProperties: { ...userProperties, ...carrier } });
  return { ...options, properties: own };
}
