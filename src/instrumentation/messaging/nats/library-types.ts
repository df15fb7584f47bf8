/* The classes of the NATS clients as far as they are used, and as all supported versions have them. */

/** Headers of a message: lists of texts by names. */
export interface Headers extends Iterable<[string, string[]]> {
  encode(): Uint8Array;
}

export interface PublishOptions {
  reply?: string;
  /** Only its encoding is asked for. */
  headers?: Pick<Headers, 'encode'>;
}

export interface Message {
  subject: string;
  headers?: Headers;
  data?: { length: number };
}

/** `ProtocolHandler`: one connection to a server at a time. */
export interface Protocol {
  readonly info?: { readonly headers?: boolean };
  readonly server?: { readonly hostname?: unknown; readonly port?: unknown };
  publish(subject: string, payload?: unknown, options?: PublishOptions): void;
}

export type Callback = (this: unknown, error: unknown, message: Message) => unknown;

export interface SubscribeOptions {
  callback?: Callback;
  queue?: unknown;
}

/** `NatsConnectionImpl`. */
export interface Connection {
  readonly protocol: Protocol;
  publish(subject: string, ...rest: unknown[]): void;
  request(subject: string, ...rest: unknown[]): Promise<unknown>;
  requestMany(subject: string, ...rest: unknown[]): Promise<unknown>;
  subscribe(subject: string, options?: SubscribeOptions): unknown;
}

/** A message of a stream. */
export interface JetStreamMessage extends Message {
  ack(...args: unknown[]): unknown;
  nak(...args: unknown[]): unknown;
  term(...args: unknown[]): unknown;
}

/** A consumer of a stream, as its messages know it. */
export interface Consumer {
  readonly name?: unknown;
  readonly api?: { readonly nc?: Partial<Connection> };
  readonly _info?: { readonly config?: { readonly filter_subject?: unknown } };
}

/** `PullConsumerMessagesImpl`, and what version 2 has in front of it for ordered consumers. */
export interface ConsumerMessages {
  readonly consumer?: Consumer;
  readonly src?: ConsumerMessages;
  /** Whether the messages go to an ordered consumer, which hands them on. */
  readonly forOrderedConsumer?: unknown;
  callback?: ((message: JetStreamMessage) => unknown) | null;
  /** Subscribes; of push consumers. */
  start(): void;
  /** Hands over a message, or something to be done in turn with the messages. */
  _push(part: JetStreamMessage | (() => void)): void;
  [Symbol.asyncIterator](): AsyncIterator<Message>;
}

/** `SubscriptionImpl`. */
export interface Subscription {
  readonly protocol: Protocol;
  readonly subject: string;
  readonly queue?: unknown;
  [Symbol.asyncIterator](): AsyncIterator<Message>;
}

/** `OrderedPullConsumerImpl`, of version 2. */
export interface OrderedConsumer {
  readonly consumer?: Consumer;
  consume(
    options?: { callback?: (this: unknown, message: JetStreamMessage) => unknown },
    ...rest: unknown[]
  ): Promise<unknown>;
  next(...args: unknown[]): Promise<JetStreamMessage | null>;
}

/** What is known of the consumer behind a subscription of JetStream, of version 2. */
export interface DeliveryOptions {
  readonly name?: unknown;
  /** The subject that its messages are sent to. */
  readonly deliver?: unknown;
  readonly config?: { readonly durable_name?: unknown; readonly filter_subject?: unknown };
}

/** `JetStreamClientImpl`, of version 2. */
export interface JetStreamClient {
  readonly nc: Connection;
  _buildTypedSubscriptionOpts(consumer: DeliveryOptions): {
    callback?: (this: unknown, error: unknown, message: JetStreamMessage | null) => unknown;
  };
}

/** `JetStreamSubscriptionImpl`, of version 2. */
export interface JetStreamSubscription {
  readonly js: JetStreamClient;
  readonly info: DeliveryOptions | null;
  [Symbol.asyncIterator](): AsyncIterator<Message>;
}
