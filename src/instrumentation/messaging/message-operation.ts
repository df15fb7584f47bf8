import type { Attributes } from '@opentelemetry/api';

/**
 * What is done with messages, in the words of OpenTelemetry's messaging conventions. `send` hands
 * one message or a batch to the broker, `create` makes one that is sent later, `receive` is a pull by
 * the application, `process` a handler of the application at work, `settle` an acknowledgement.
 */
export type MessageOperationType = 'create' | 'send' | 'receive' | 'process' | 'settle';

/**
 * What a messaging library says about one operation: plain data, from which the recorder makes a span
 * and measurements. A field that a library does not know stays away.
 */
export interface MessageOperation {
  /** `messaging.system.name`: `rabbitmq`, `kafka`, `bullmq`. */
  readonly system: string;
  /** `messaging.operation.type`. */
  readonly type: MessageOperationType;
  /** `messaging.operation.name`: the system's own word, such as `publish` or `ack`. Default: the type. */
  readonly name?: string | undefined;
  /** `messaging.destination.name`: the queue, the topic, the exchange. */
  readonly destination?: string | undefined;
  /** `messaging.destination.template`: names the span where a destination has a form of few values. */
  readonly template?: string | undefined;
  /** A destination whose name the broker made up, or that goes with its connection; names no span. */
  readonly isTemporary?: boolean | undefined;
  /** `messaging.message.id`, of a single message. */
  readonly messageId?: string | undefined;
  /** `messaging.message.conversation_id`: what a request and its reply have in common. */
  readonly conversationId?: string | undefined;
  /** `messaging.batch.message_count`, where the call is one for many messages, even if it has one. */
  readonly batchSize?: number | undefined;
  /** Whether a `receive` was recorded for the messages before, which are counted once. */
  readonly isReceived?: boolean | undefined;
  /** `messaging.client.id`. */
  readonly clientId?: string | undefined;
  /** `messaging.consumer.group.name`. */
  readonly consumerGroup?: string | undefined;
  /** `messaging.destination.partition.id`. */
  readonly partition?: string | undefined;
  /** `server.address`. */
  readonly address?: string | undefined;
  /** `server.port`. */
  readonly port?: number | undefined;
  /** When it was asked for, as `performance.now()` says, where that was before its recording. */
  readonly askedAt?: number | undefined;
  /** What only this system has: `messaging.rabbitmq.destination.routing_key`. Never a payload. */
  readonly attributes?: Attributes | undefined;
}
