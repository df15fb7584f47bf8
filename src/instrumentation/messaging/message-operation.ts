import type { Attributes } from '@opentelemetry/api';

/**
 * What is done with messages, in the words of OpenTelemetry's messaging conventions. `send` hands
 * one message or a batch to the broker, `create` makes one that is sent later, `receive` is a pull by
 * the application, `process` a handler of the application at work, `settle` an acknowledgement.
 */
export type MessageOperationType = 'create' | 'send' | 'receive' | 'process' | 'settle';

/**
 * Describes one operation of a messaging library: plain data, from which the recorder makes a span
 * and measurements. A field that the library does not know is left out.
 */
export interface MessageOperation {
  /** `messaging.system.name`: `rabbitmq`, `kafka`, `bullmq`. */
  readonly system: string;
  /** `messaging.operation.type`. */
  readonly type: MessageOperationType;
  /**
   * `messaging.operation.name`: the system's own term, such as `publish` or `ack`. Default: the
   * type.
   */
  readonly name?: string | undefined;
  /** `messaging.destination.name`: the queue, the topic, the exchange. */
  readonly destination?: string | undefined;
  /** `messaging.destination.template`: names the span where a destination has a form of few values. */
  readonly template?: string | undefined;
  /**
   * Whether the broker made up the destination's name, or deletes it with its connection. Such a
   * name is not part of the span's name.
   */
  readonly isTemporary?: boolean | undefined;
  /** `messaging.message.id`, of a single message. */
  readonly messageId?: string | undefined;
  /** `messaging.message.conversation_id`, which relates a reply to its request. */
  readonly conversationId?: string | undefined;
  /** `messaging.batch.message_count`, if the call sends or takes a batch, even a batch of one. */
  readonly batchSize?: number | undefined;
  /** Whether a `receive` was already recorded for these messages, which are counted only once. */
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
  /**
   * When the operation was requested, on the clock of `performance.now()`, if earlier than its
   * recording.
   */
  readonly askedAt?: number | undefined;
  /**
   * Attributes specific to this system: `messaging.rabbitmq.destination.routing_key`. Never a
   * payload.
   */
  readonly attributes?: Attributes | undefined;
}
