import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_TEXT,
  ATTR_DB_SYSTEM_NAME,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

/** The names of before the database conventions were stable, by those of today. */
const LEGACY_NAMES: Readonly<Record<string, string>> = {
  [ATTR_DB_SYSTEM_NAME]: 'db.system',
  [ATTR_DB_NAMESPACE]: 'db.name',
  [ATTR_DB_QUERY_TEXT]: 'db.statement',
  [ATTR_DB_OPERATION_NAME]: 'db.operation',
  [ATTR_DB_COLLECTION_NAME]: 'db.sql.table',
  [ATTR_SERVER_ADDRESS]: 'net.peer.name',
  [ATTR_SERVER_PORT]: 'net.peer.port',
  [ATTR_NETWORK_PEER_ADDRESS]: 'net.sock.peer.addr',
  [ATTR_NETWORK_PEER_PORT]: 'net.sock.peer.port',
};

/** Adds to `attributes` what it holds by its old names. */
export function addLegacyNames(attributes: Attributes): void {
  for (const [today, legacy] of Object.entries(LEGACY_NAMES)) {
    const value = attributes[today];
    if (value !== undefined) attributes[legacy] = value;
  }
}
