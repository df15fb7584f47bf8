import { byClass, type Failure } from '../../operation.ts';
import { createEndpoint, type Endpoint } from '../../recorder/endpoint.ts';
import type { KnexClient } from './library-types.ts';

/** `db.system.name` by the names of knex's dialects, which are those of drivers. */
const SYSTEMS: Readonly<Record<string, string>> = {
  pg: 'postgresql',
  pgnative: 'postgresql',
  postgresql: 'postgresql',
  mysql: 'mysql',
  mysql2: 'mysql',
  mariadb: 'mariadb',
  sqlite3: 'sqlite',
  'better-sqlite3': 'sqlite',
  tedious: 'microsoft.sql_server',
  mssql: 'microsoft.sql_server',
  oracledb: 'oracle.db',
};

/** Returns where the connections of `client` go. */
export function endpointOf({ driverName, dialect, connectionSettings }: KnexClient): Endpoint {
  const { host, port, database, filename, connectionString } = connectionSettings ?? {};
  const url = connectionString === undefined ? undefined : URL.parse?.(connectionString);
  return createEndpoint({
    system: SYSTEMS[driverName ?? ''] ?? SYSTEMS[dialect ?? ''] ?? 'other_sql',
    namespace: database ?? filename ?? (url?.pathname.slice(1) || undefined),
    address: host ?? (url?.hostname || undefined),
    port: port === undefined ? Number(url?.port) || undefined : Number(port),
  });
}

/** For a connection that could not be obtained. */
export function describeError(error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && code !== '' ? { type: code } : byClass(error);
}
