import { SpanKind, type Attributes } from '@opentelemetry/api';
import {
  ATTR_DB_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import {
  ATTR_DB_SYSTEM,
  ATTR_MESSAGING_SYSTEM,
  ATTR_MESSAGING_SYSTEM_NAME,
  ATTR_PEER_SERVICE,
} from '@opentelemetry/semantic-conventions/incubating';

import type { Span, SpanProcessor } from './sdk-types.ts';

/**
 * Adds attributes to the spans of calls that Jaeger's UI uses but the stable conventions no longer
 * have: `peer.service`, which it shows as the target of a call (`shop -> postgresql`), and
 * `db.system`. Existing attributes are kept.
 */
export class JaegerHints implements SpanProcessor {
  onStart(): void {
    // The system and the address may be known only at the end.
  }

  onEnding(span: Span): void {
    const { kind, attributes } = span;
    if (kind !== SpanKind.CLIENT && kind !== SpanKind.PRODUCER) return;
    const database = attributes[ATTR_DB_SYSTEM_NAME];
    if (database !== undefined && attributes[ATTR_DB_SYSTEM] === undefined) {
      span.setAttribute(ATTR_DB_SYSTEM, database);
    }
    if (attributes[ATTR_PEER_SERVICE] !== undefined) return;
    const peer = peerOf(attributes);
    if (peer !== undefined) span.setAttribute(ATTR_PEER_SERVICE, peer);
  }

  onEnd(): void {
    // All is done before the end.
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Returns the target of a call: the kind of database or broker, otherwise the server. */
function peerOf(attributes: Attributes): string | undefined {
  const system =
    attributes[ATTR_DB_SYSTEM_NAME] ??
    attributes[ATTR_DB_SYSTEM] ??
    attributes[ATTR_MESSAGING_SYSTEM_NAME] ??
    attributes[ATTR_MESSAGING_SYSTEM];
  if (system !== undefined) return String(system);
  const address = attributes[ATTR_SERVER_ADDRESS];
  if (address === undefined) return undefined;
  const port = attributes[ATTR_SERVER_PORT];
  const isUsual = port === undefined || port === 80 || port === 443;
  return isUsual ? String(address) : `${String(address)}:${String(port)}`;
}
