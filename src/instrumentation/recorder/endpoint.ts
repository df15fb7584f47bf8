import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_DB_NAMESPACE,
  ATTR_DB_SYSTEM_NAME,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

/** Where operations go. */
export interface EndpointParts {
  /** `db.system.name`. */
  system: string;
  namespace?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  /** The port that goes without saying. */
  defaultPort?: number | undefined;
  peerAddress?: string | undefined;
  peerPort?: number | undefined;
}

/** A connection's share of every span and measurement, made once and never changed. */
export interface Endpoint extends Readonly<EndpointParts> {
  readonly attributes: Readonly<Attributes>;
}

export function createEndpoint(parts: EndpointParts): Endpoint {
  const attributes: Attributes = { [ATTR_DB_SYSTEM_NAME]: parts.system };
  if (parts.namespace) attributes[ATTR_DB_NAMESPACE] = parts.namespace;
  if (parts.address) {
    attributes[ATTR_SERVER_ADDRESS] = parts.address;
    if (parts.port !== undefined && parts.port !== parts.defaultPort) {
      attributes[ATTR_SERVER_PORT] = parts.port;
    }
  }
  if (parts.peerAddress) {
    attributes[ATTR_NETWORK_PEER_ADDRESS] = parts.peerAddress;
    if (parts.peerPort !== undefined) attributes[ATTR_NETWORK_PEER_PORT] = parts.peerPort;
  }
  return Object.freeze({ ...parts, attributes: Object.freeze(attributes) });
}
