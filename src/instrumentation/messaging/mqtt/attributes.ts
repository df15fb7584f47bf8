import { ATTR_MESSAGING_MESSAGE_BODY_SIZE } from '@opentelemetry/semantic-conventions/incubating';

import type { MessageOperation, MessageOperationType } from '../message-operation.ts';
import type { MqttClient } from './library-types.ts';

/** A message of `topic`; of its payload only the size in bytes. */
export function describeMessage(
  type: MessageOperationType,
  { options }: MqttClient,
  topic: unknown,
  payload: unknown,
): MessageOperation {
  const port = Number(options.port);
  return {
    system: 'mqtt',
    type,
    destination: text(topic),
    clientId: text(options.clientId),
    address: text(options.hostname) ?? text(options.host),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    attributes: { [ATTR_MESSAGING_MESSAGE_BODY_SIZE]: sizeOf(payload) },
  };
}

function sizeOf(payload: unknown): number | undefined {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.byteLength : undefined;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
