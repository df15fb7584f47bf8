import {
  ATTR_MESSAGING_MESSAGE_BODY_SIZE,
  ATTR_MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY,
} from '@opentelemetry/semantic-conventions/incubating';

import type { MessageOperation, MessageOperationType } from '../message-operation.ts';
import type { Message, PublishFields } from './library-types.ts';

/** Where a connection leads. */
export interface Server {
  address?: string | undefined;
  port?: number | undefined;
}

const PORTS: Readonly<Record<string, number>> = { amqp: 5672, amqps: 5671 };

/** The servers of connections, by what `connect` was asked for, else by their sockets. */
const servers = new WeakMap<object, Server>();

export function serverOf(connection: object): Server {
  const known = servers.get(connection);
  if (known) return known;
  const { stream } = connection as { stream?: { remoteAddress?: string; remotePort?: number } };
  const server = { address: stream?.remoteAddress, port: stream?.remotePort };
  if (server.address !== undefined) servers.set(connection, server);
  return server;
}

/** Remembers the host and the port of `url`, as amqplib reads it. Its password stays where it is. */
export function rememberServer(connection: object, url: unknown): void {
  servers.set(connection, readUrl(url ?? 'amqp://localhost'));
}

function readUrl(url: unknown): Server {
  try {
    if (typeof url === 'object' && url !== null) {
      const { hostname, port, protocol = 'amqp' } = url as Record<string, unknown>;
      if (typeof hostname !== 'string') return {};
      return { address: hostname, port: Number(port) || PORTS[String(protocol)] };
    }
    const { hostname, port, protocol } = new URL(String(url));
    return { address: hostname, port: Number(port) || PORTS[protocol.slice(0, -1)] };
  } catch {
    return {};
  }
}

/** Queues that the broker named, and its pseudo-queue for replies: a name for each client. */
const MADE_UP = /^amq\.(?:gen-|rabbitmq\.reply-to)/;

/** A message on its way to the broker. */
export function describePublish(
  connection: object,
  { exchange, routingKey, messageId, correlationId }: Partial<PublishFields>,
  content: unknown,
): MessageOperation {
  const key = text(routingKey) ?? '';
  const into = text(exchange) ?? '';
  return {
    ...common('send', connection, messageId, correlationId),
    destination: [into, key].filter(Boolean).join(':'),
    // The default exchange hands a message to the queue that its key names.
    template: into || undefined,
    isTemporary: into === '' && MADE_UP.test(key),
    attributes: attributesOf(key, content),
  };
}

/** A message that came from `queue`, where that is known. */
export function describeMessage(
  type: MessageOperationType,
  connection: object,
  queue: string | undefined,
  { fields, properties, content }: Pick<Message, 'fields' | 'properties'> & Partial<Message>,
): MessageOperation {
  const { exchange, routingKey } = fields;
  const parts = [exchange, routingKey, queue === routingKey ? '' : queue];
  const isTemporary = queue === undefined ? false : MADE_UP.test(queue);
  return {
    ...common(type, connection, properties.messageId, properties.correlationId),
    destination: parts.filter(Boolean).join(':'),
    template: isTemporary || queue === routingKey ? undefined : queue,
    isTemporary,
    attributes: attributesOf(routingKey, content),
  };
}

function common(
  type: MessageOperationType,
  connection: object,
  messageId: unknown,
  correlationId: unknown,
): MessageOperation {
  return {
    system: 'rabbitmq',
    type,
    messageId: text(messageId),
    conversationId: text(correlationId),
    ...serverOf(connection),
  };
}

function attributesOf(routingKey: string, content: unknown): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  if (routingKey) attributes[ATTR_MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY] = routingKey;
  const size = (content as { length?: unknown } | undefined)?.length;
  if (Buffer.isBuffer(content)) attributes[ATTR_MESSAGING_MESSAGE_BODY_SIZE] = Number(size);
  return attributes;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
