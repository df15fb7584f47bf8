import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { ConnectionConfig, PooledConnection } from './library-types.ts';

const DEFAULT_PORT = 3306;

/*
 * `planned` is keyed by configuration, for pools: what their last connection found. `connected` is
 * keyed by connection. Entries are collected with their keys; one is replaced after the server's
 * handshake, or when another database is selected.
 */
const planned = new WeakMap<ConnectionConfig, Endpoint>();
const connected = new WeakMap<PooledConnection, Endpoint>();

/** For a cluster, which chooses a server for each query. */
export const ANY_ENDPOINT: Endpoint = createEndpoint({ system: 'mysql' });

/** Returns where a connection with this configuration goes, as far as that is known in advance. */
export function plannedEndpoint(config: ConnectionConfig): Endpoint {
  const known = planned.get(config);
  if (known) return known;
  const endpoint = endpointWith(config, 'mysql', undefined);
  planned.set(config, endpoint);
  return endpoint;
}

/** What a connection reveals once it is established. */
export interface Meeting {
  /** The version in the server's handshake. */
  version: string | undefined;
  stream: { remoteAddress?: string; remotePort?: number } | null | undefined;
}

/** Returns where the commands of `connection` go; `meet` returns what the connection has found. */
export function endpointOf(connection: PooledConnection, meet: (this: void) => Meeting): Endpoint {
  const { config } = connection;
  const known = connected.get(connection);
  if (known && known.namespace === (config.database || undefined)) return known;
  const { version, stream } = meet();
  const poolConfig = config.pool?.config.connectionConfig;
  if (version === undefined) return plannedEndpoint(poolConfig ?? config);
  const endpoint = endpointWith(config, /mariadb/i.test(version) ? 'mariadb' : 'mysql', stream);
  connected.set(connection, endpoint);
  if (poolConfig && poolConfig.database === config.database) planned.set(poolConfig, endpoint);
  return endpoint;
}

function endpointWith(
  { host, port, socketPath, database }: ConnectionConfig,
  system: string,
  stream: Meeting['stream'],
): Endpoint {
  return createEndpoint({
    system,
    namespace: database || undefined,
    address: socketPath ?? host ?? 'localhost',
    port: socketPath === undefined ? Number(port ?? DEFAULT_PORT) : undefined,
    defaultPort: DEFAULT_PORT,
    peerAddress: stream?.remoteAddress,
    peerPort: stream?.remotePort,
  });
}

/** Describes a statement for the server at `endpoint`. */
export function describeStatement(endpoint: Endpoint, text: unknown, values: unknown): Operation {
  return {
    endpoint,
    text: typeof text === 'string' ? text : undefined,
    dialect: endpoint.system === 'mariadb' ? 'mariadb' : 'mysql',
    values,
  };
}

/** Raised by `SIGNAL` in the database: its message comes from the application. */
const SIGNALLED = 1644;

/** Returns the server's error number as a string, or the client's own code, or the class. */
export function describeError(error: unknown): Failure {
  const { errno, code, message } = (error ?? {}) as {
    errno?: unknown;
    code?: unknown;
    message?: string;
  };
  const name = typeof code === 'string' && code !== '' ? code : undefined;
  // The errno of a system call is negative, and not one of the server's.
  if (typeof errno === 'number' && errno > 0) {
    const statusCode = String(errno);
    return { type: statusCode, statusCode, message: errno === SIGNALLED ? name : message };
  }
  return name ? { type: name, message: name } : byClass(error);
}

/** Returns the number of rows of one result set, or of all result sets of a multi-statement. */
export function countRows(result: unknown): number | undefined {
  if (!Array.isArray(result)) return undefined;
  if (result.length === 0 || !result.every((part) => Array.isArray(part))) return result.length;
  return result.reduce<number>((sum, part) => sum + (part as unknown[]).length, 0);
}
