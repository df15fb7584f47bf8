import { byClass, type Failure, type Operation } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { CommandParameter, Connection, ConnectionOptions } from './library-types.ts';

const DEFAULT_PORT = 3306;

/*
 * `planned` is keyed by server and database, for pools and for calls without a connection yet.
 * `connected` is keyed by connection; an entry is replaced when another database is selected.
 */
const planned = new WeakMap<ConnectionOptions, Endpoint>();
const connected = new WeakMap<Connection, Endpoint>();

/** For a cluster, which chooses a server for each query. */
export const ANY_ENDPOINT: Endpoint = createEndpoint({ system: 'mariadb' });

/** Returns where a connection with these options goes, as far as that is known in advance. */
export function plannedEndpoint(options: ConnectionOptions): Endpoint {
  const known = planned.get(options);
  if (known) return known;
  const endpoint = endpointWith(options, 'mariadb', options.database, undefined);
  planned.set(options, endpoint);
  return endpoint;
}

/** Returns where the commands of `connection` go; `options` are those of its pool. */
export function endpointOf(connection: Connection, options?: ConnectionOptions): Endpoint {
  const { opts, info, socket } = connection;
  const version = info?.serverVersion;
  if (!version) return plannedEndpoint(opts);
  const database = info.database ?? opts.database;
  let endpoint = connected.get(connection);
  if (!endpoint || endpoint.namespace !== (database || undefined)) {
    const isMariaDb = version.mariaDb ?? /mariadb/i.test(version.raw ?? '');
    endpoint = endpointWith(opts, isMariaDb ? 'mariadb' : 'mysql', database, socket);
    connected.set(connection, endpoint);
  }
  if (options && options.database === database) planned.set(options, endpoint);
  return endpoint;
}

function endpointWith(
  { host, port, socketPath }: ConnectionOptions,
  system: string,
  database: string | undefined,
  socket: Connection['socket'],
): Endpoint {
  return createEndpoint({
    system,
    namespace: database || undefined,
    address: socketPath ?? host ?? 'localhost',
    port: socketPath ? undefined : Number(port ?? DEFAULT_PORT),
    defaultPort: DEFAULT_PORT,
    peerAddress: socket?.remoteAddress,
    peerPort: socket?.remotePort,
  });
}

/** Describes a statement for the server at `endpoint`. */
export function describeStatement(
  endpoint: Endpoint,
  { sql, values }: CommandParameter,
): Operation {
  return {
    endpoint,
    text: typeof sql === 'string' ? sql : undefined,
    dialect: endpoint.system === 'mysql' ? 'mysql' : 'mariadb',
    // A single value need not be in a list.
    values:
      values === null || typeof values === 'object' ? values : values !== undefined && [values],
  };
}

/** Returns how many sets of values a batch has, if that is known before it is prepared. */
export function batchSizeOf({ values }: CommandParameter): number | undefined {
  if (!Array.isArray(values)) return undefined;
  const [first] = values as unknown[];
  // A list of plain values is one set for several placeholders, or as many sets for one.
  const isSet = typeof first === 'object' && first !== null;
  return isSet || values.length === 0 ? values.length : undefined;
}

/** Raised by `SIGNAL` in the database: its message comes from the application. */
const SIGNALLED = 1644;
/** Higher numbers are the library's own errors, which no server sent. */
const SERVER_ERRORS_END = 45_000;

/** Returns the server's error number as a string, or the library's own code, or the class. */
export function describeError(error: unknown): Failure {
  const { errno, code, sqlMessage } = (error ?? {}) as Record<string, unknown>;
  const name = typeof code === 'string' && code !== '' ? code : undefined;
  if (typeof errno === 'number' && errno > 0 && errno < SERVER_ERRORS_END) {
    const statusCode = String(errno);
    // `message` repeats the statement with its values; this does not.
    const message = errno === SIGNALLED ? name : sqlMessage;
    return { type: statusCode, statusCode, message: typeof message === 'string' ? message : name };
  }
  return name && name !== 'UNKNOWN' ? { type: name, message: name } : byClass(error);
}
