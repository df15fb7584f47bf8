import { ATTR_MESSAGING_MESSAGE_BODY_SIZE } from '@opentelemetry/semantic-conventions/incubating';

import type { Carrier } from '../carrier.ts';
import type { MessageOperation, MessageOperationType } from '../message-operation.ts';
import type { Headers, Protocol } from './library-types.ts';

/** What the client and the server say to each other: pulls, acknowledgements, key-value stores. */
const INTERNAL = /^\$(?:JS|SYS|KV|O|SRV)\./;
/** Where replies go to: a subject for each client or each request. */
const INBOX = /^_INBOX\./;

/** Whether `subject` is the application's own, and not the client's or the server's. */
export function isOfApplication(subject: unknown): boolean {
  return typeof subject === 'string' && !INTERNAL.test(subject);
}

export function isInbox(subject: unknown): boolean {
  return typeof subject === 'string' && INBOX.test(subject);
}

/** A message of `subject`; `template` is what was subscribed to, where that has wildcards. */
export function describeMessage(
  type: MessageOperationType,
  protocol: Protocol | undefined,
  subject: unknown,
  payload: unknown,
  more: Partial<MessageOperation> = {},
): MessageOperation {
  const { hostname, port } = protocol?.server ?? {};
  return {
    system: 'nats',
    type,
    destination: typeof subject === 'string' ? subject : undefined,
    isTemporary: isInbox(subject),
    address: typeof hostname === 'string' ? hostname : undefined,
    port: typeof port === 'number' ? port : undefined,
    attributes: { [ATTR_MESSAGING_MESSAGE_BODY_SIZE]: sizeOf(payload) },
    ...more,
  };
}

function sizeOf(payload: unknown): number | undefined {
  if (payload === undefined) return 0;
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.byteLength : undefined;
}

/** What a message carries; a name that comes twice says nothing. */
export function carrierIn(headers: Headers | undefined): Carrier | undefined {
  if (headers === undefined) return undefined;
  const carrier: Record<string, unknown> = {};
  for (const [name, values] of headers) {
    // Some clients write the names of headers as HTTP does.
    Object.defineProperty(carrier, name.toLowerCase(), { value: values, enumerable: true });
  }
  return carrier;
}
