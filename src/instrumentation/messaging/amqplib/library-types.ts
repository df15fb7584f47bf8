import type { EventEmitter } from 'node:events';

import { hasMethods } from '../../declared-classes.ts';

/* The classes of amqplib as far as they are used, and as all supported versions have them. */

export type Callback = (...args: never[]) => unknown;

/** What `Args.publish` makes of the caller's arguments: fields and properties in one new object. */
export interface PublishFields {
  exchange: string;
  routingKey: string;
  /** A new object, whose prototype is that of the caller. */
  headers?: object;
  messageId?: unknown;
  correlationId?: unknown;
}

/** What `Args.consume` and `Args.get` make of the caller's arguments. */
export interface QueueFields {
  queue: string;
  noAck: boolean;
  consumerTag?: string;
}

/** A message as a consumer gets it. */
export interface Message {
  fields: { deliveryTag: number; exchange: string; routingKey: string; consumerTag?: string };
  properties: { headers?: object; messageId?: unknown; correlationId?: unknown };
  content: { length: number };
}

export type Consumer = (this: unknown, message: Message | null) => unknown;

/** A frame: an answer of the broker, or the properties of a message. */
export interface Frame {
  id: number;
  fields: object;
}

export type Reply = (error: unknown, frame?: Frame) => unknown;

/** `Channel` and `BaseChannel` of `lib/channel`, which both APIs share. */
export interface Channel extends EventEmitter {
  connection: object;
  handleMessage: (frame: Frame) => unknown;
  sendOrEnqueue(method: number, fields: object, reply: Reply): unknown;
  sendMessage(fields: PublishFields, properties: PublishFields, content: unknown): unknown;
  pushConfirmCallback(callback?: Callback | null): unknown;
  registerConsumer(tag: string, consumer: Consumer): unknown;
  closeBecause(reason: string, code: number, done?: Callback): unknown;
  toClosed(...args: unknown[]): unknown;
}

/** `Channel` of `lib/channel_model` and `lib/callback_model`. */
export interface ModelChannel extends Channel {
  publish(...args: unknown[]): unknown;
  get(queue: string, options?: unknown, callback?: Callback): unknown;
  /** The flags are `allUpTo` and `requeue`, of `reject` the latter alone. */
  ack(message: Message, ...flags: boolean[]): unknown;
  nack(message: Message, ...flags: boolean[]): unknown;
  reject(message: Message, ...flags: boolean[]): unknown;
  ackAll(...flags: boolean[]): unknown;
  nackAll(...flags: boolean[]): unknown;
}

/** `ChannelModel` and `CallbackModel`: what `connect` gives. */
export interface Model extends EventEmitter {
  connection: object;
  createChannel(...args: unknown[]): unknown;
  createConfirmChannel(...args: unknown[]): unknown;
}

/** `Connection` of `lib/connection`. */
export interface Connection {
  closeBecause(reason: string, code: number, done?: Callback): unknown;
  _updateSecret?(secret: unknown, reason: string, done?: Callback): unknown;
}

export interface Class<Instance> {
  prototype: Instance;
}

/** Whether `value` is a class with these methods, inherited ones included. */
export function isClass<Instance>(value: unknown, ...methods: string[]): value is Class<Instance> {
  return hasMethods(value, methods);
}
