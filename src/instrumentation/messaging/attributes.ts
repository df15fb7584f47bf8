import { SpanKind, type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_CLIENT_ID,
  ATTR_MESSAGING_CONSUMER_GROUP_NAME,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_DESTINATION_PARTITION_ID,
  ATTR_MESSAGING_DESTINATION_TEMPLATE,
  ATTR_MESSAGING_DESTINATION_TEMPORARY,
  ATTR_MESSAGING_MESSAGE_CONVERSATION_ID,
  ATTR_MESSAGING_MESSAGE_ID,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM,
  ATTR_MESSAGING_SYSTEM_NAME,
} from '@opentelemetry/semantic-conventions/incubating';

import type { MessageOperation, MessageOperationType } from './message-operation.ts';

/** Of this package: what the application did with a message in the place of acknowledging it. */
export const ATTR_SETTLEMENT = 'clew.messaging.settlement';

/** The longest name or id that is shown, in characters: some come from the other side. */
const MAX_TEXT = 500;

/**
 * The conventions' kinds. A consumer's `receive` asks the broker as a client does, and what it hands
 * to the application is `process`.
 */
export const SPAN_KINDS: Readonly<Record<MessageOperationType, SpanKind>> = {
  create: SpanKind.PRODUCER,
  send: SpanKind.PRODUCER,
  receive: SpanKind.CLIENT,
  process: SpanKind.CONSUMER,
  settle: SpanKind.CLIENT,
};

/** What a measurement may have of a span's attributes: what has few values. */
const MEASURED = [
  ATTR_MESSAGING_SYSTEM_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_CONSUMER_GROUP_NAME,
  ATTR_MESSAGING_DESTINATION_PARTITION_ID,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
];

/** All that is known of an operation when it starts, which is what a sampler sees. */
export function attributesOf(operation: MessageOperation): Attributes {
  const { system, type, template, batchSize } = operation;
  const attributes: Attributes = {
    [ATTR_MESSAGING_SYSTEM_NAME]: system,
    // Deprecated since 1.43 of the conventions, and what most dashboards still ask for.
    [ATTR_MESSAGING_SYSTEM]: system,
    [ATTR_MESSAGING_OPERATION_NAME]: operation.name ?? type,
    [ATTR_MESSAGING_OPERATION_TYPE]: type,
  };
  const texts = {
    [ATTR_MESSAGING_DESTINATION_NAME]: operation.destination,
    [ATTR_MESSAGING_DESTINATION_TEMPLATE]: template,
    [ATTR_MESSAGING_MESSAGE_ID]: operation.messageId,
    [ATTR_MESSAGING_MESSAGE_CONVERSATION_ID]: operation.conversationId,
    [ATTR_MESSAGING_CLIENT_ID]: operation.clientId,
    [ATTR_MESSAGING_CONSUMER_GROUP_NAME]: operation.consumerGroup,
    [ATTR_MESSAGING_DESTINATION_PARTITION_ID]: operation.partition,
    [ATTR_SERVER_ADDRESS]: operation.address,
  };
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string' && value !== '') attributes[key] = value.slice(0, MAX_TEXT);
  }
  if (operation.isTemporary) attributes[ATTR_MESSAGING_DESTINATION_TEMPORARY] = true;
  if (batchSize !== undefined) attributes[ATTR_MESSAGING_BATCH_MESSAGE_COUNT] = batchSize;
  if (operation.port !== undefined && ATTR_SERVER_ADDRESS in attributes) {
    attributes[ATTR_SERVER_PORT] = operation.port;
  }
  return operation.attributes ? Object.assign(attributes, operation.attributes) : attributes;
}

/** The operation and its destination: `send orders`. A name that nobody chose is left out. */
export function spanNameOf({ name, type, template, ...operation }: MessageOperation): string {
  const target = template ?? (operation.isTemporary ? undefined : operation.destination);
  return target ? `${name ?? type} ${target.slice(0, MAX_TEXT)}` : (name ?? type);
}

/**
 * The attributes of a measurement. A destination is among them where its names are few: a template, or
 * a name that the application chose.
 */
export function measuredAttributes(
  attributes: Attributes,
  { template, destination, isTemporary }: MessageOperation,
): Attributes {
  const measured: Attributes = {};
  for (const key of MEASURED) {
    const value = attributes[key];
    if (value !== undefined) measured[key] = value;
  }
  if (template) measured[ATTR_MESSAGING_DESTINATION_TEMPLATE] = template;
  else if (destination && !isTemporary) measured[ATTR_MESSAGING_DESTINATION_NAME] = destination;
  return measured;
}
