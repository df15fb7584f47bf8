import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_MESSAGING_DESTINATION_PARTITION_ID,
  ATTR_MESSAGING_KAFKA_MESSAGE_TOMBSTONE,
  ATTR_MESSAGING_KAFKA_OFFSET,
} from '@opentelemetry/semantic-conventions/incubating';

import type { MessageOperation } from '../message-operation.ts';
import type { BatchPayload, MessagePayload, TopicMessages } from './library-types.ts';

const SYSTEM = 'kafka';

/** What goes to one topic with one call. Keys and values stay out: both are the application's data. */
export function describeSend({ topic, messages }: Partial<TopicMessages>): MessageOperation {
  const count = Array.isArray(messages) ? messages.length : 0;
  const isTombstone = count === 1 && messages?.[0]?.value === null;
  return {
    system: SYSTEM,
    type: 'send',
    destination: typeof topic === 'string' ? topic : undefined,
    batchSize: count > 1 ? count : undefined,
    attributes: isTombstone ? { [ATTR_MESSAGING_KAFKA_MESSAGE_TOMBSTONE]: true } : undefined,
  };
}

/** Where a single message went, from what the library returns: an entry for each partition. */
export function placeOf(result: unknown): Attributes {
  const [only, ...others] = Array.isArray(result) ? (result as Placed[]) : [];
  if (only === undefined || others.length > 0) return {};
  const { partition, baseOffset } = only;
  const attributes: Attributes = {};
  if (typeof partition === 'number') {
    attributes[ATTR_MESSAGING_DESTINATION_PARTITION_ID] = String(partition);
  }
  const offset = offsetOf(baseOffset);
  if (offset !== undefined) attributes[ATTR_MESSAGING_KAFKA_OFFSET] = offset;
  return attributes;
}

interface Placed {
  partition?: unknown;
  baseOffset?: unknown;
}

export function describeMessage(
  { topic, partition, message }: MessagePayload,
  consumerGroup: string | undefined,
): MessageOperation {
  const attributes: Attributes = {};
  const offset = offsetOf(message.offset);
  if (offset !== undefined) attributes[ATTR_MESSAGING_KAFKA_OFFSET] = offset;
  if (message.value === null) attributes[ATTR_MESSAGING_KAFKA_MESSAGE_TOMBSTONE] = true;
  return { ...processing(topic, partition, consumerGroup), attributes };
}

export function describeBatch(
  { batch: { topic, partition, messages } }: BatchPayload,
  consumerGroup: string | undefined,
): MessageOperation {
  return { ...processing(topic, partition, consumerGroup), batchSize: messages.length };
}

function processing(
  destination: string,
  partition: number,
  consumerGroup: string | undefined,
): MessageOperation {
  return {
    system: SYSTEM,
    type: 'process',
    destination,
    partition: String(partition),
    consumerGroup,
  };
}

/** An offset is a text, as it may be too large for a number; such a one is left out. */
function offsetOf(value: unknown): number | undefined {
  const offset = typeof value === 'string' && value !== '' ? Number(value) : undefined;
  return Number.isSafeInteger(offset) ? offset : undefined;
}
