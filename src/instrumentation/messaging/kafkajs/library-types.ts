/* kafkajs as far as it is used, and as all supported versions have it. */

export interface Message {
  key?: unknown;
  value: unknown;
  headers?: object | undefined;
  partition?: unknown;
  timestamp?: unknown;
}

export interface TopicMessages {
  topic: string;
  messages: Message[];
}

/** What a producer and a transaction have in common. */
export interface Sender {
  send(record: TopicMessages): Promise<unknown>;
  sendBatch(batch: { topicMessages?: TopicMessages[] }): Promise<unknown>;
}

export interface Client {
  connect(): Promise<void>;
  on(event: string, listener: (event: unknown) => unknown): unknown;
}

export interface Producer extends Sender, Client {
  transaction(): Promise<Sender>;
}

export interface ReceivedMessage {
  offset: string;
  value: Uint8Array | null;
  headers?: object;
}

export interface MessagePayload {
  topic: string;
  partition: number;
  message: ReceivedMessage;
}

export interface BatchPayload {
  batch: { topic: string; partition: number; messages: ReceivedMessage[] };
}

/** A handler of the application, which the library calls as a method of its own and waits for. */
export type Handler<Payload> = (this: unknown, payload: Payload, ...rest: unknown[]) => unknown;

export interface RunConfig {
  eachMessage?: Handler<MessagePayload>;
  eachBatch?: Handler<BatchPayload>;
}

export interface Consumer extends Client {
  run(config?: RunConfig): Promise<void>;
}

export interface Kafka {
  producer(...args: unknown[]): Producer;
  consumer(config?: { groupId?: unknown }): Consumer;
  admin(...args: unknown[]): Client;
}

export interface Connection {
  connect(...args: unknown[]): unknown;
  sendAuthRequest?: unknown;
}
