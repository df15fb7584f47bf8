import { optionError } from '../base/errors.ts';
import type { ClientConfig } from './client-config.ts';

/*
 * The options of each client. An option that does not apply to a client is an error if it is set
 * for that client, and ignored if it is set for all.
 */

/** The configuration of a client that has operations. */
export type OperationConfig = Pick<
  ClientConfig,
  | 'enabled'
  | 'requireParent'
  | 'ignore'
  | 'spanName'
  | 'maxTextLength'
  | 'legacyAttributes'
  | 'requestHook'
  | 'responseHook'
>;

/** The configuration of a client of SQL. */
export type SqlConfig = OperationConfig &
  Pick<ClientConfig, 'sanitizeText' | 'parameters' | 'returnedRows'>;

/** The configuration of a client of an SQL server: it has pools, and the server has logs. */
export type SqlServerConfig = SqlConfig & Pick<ClientConfig, 'sqlCommenter' | 'acquireSpans'>;

/** The configuration of a client of Redis. */
export type RedisConfig = OperationConfig &
  Pick<ClientConfig, 'parameters' | 'publisherContext' | 'streamContext'>;

/** The configuration of a pool or a loader, which records no operations. */
export type PoolConfig = Pick<ClientConfig, 'enabled'>;

/** The configuration of each client, by its name: `ClientConfigs['pg']`. */
export interface ClientConfigs {
  pg: SqlServerConfig;
  mysql2: SqlServerConfig;
  mysql: SqlServerConfig;
  mariadb: SqlServerConfig;
  postgres: SqlServerConfig;
  pglite: SqlConfig;
  'better-sqlite3': SqlConfig;
  'node:sqlite': SqlConfig;
  sqlite3: SqlConfig;
  knex: PoolConfig;
  redis: RedisConfig;
  ioredis: RedisConfig;
  mongodb: OperationConfig;
  memcached: OperationConfig;
  dataloader: PoolConfig;
  tarn: PoolConfig;
  'lru-memoizer': PoolConfig;
  'generic-pool': PoolConfig;
}

/** The clients by their names in configuration. */
export type ClientName = keyof ClientConfigs;

const OF_OPERATIONS: readonly (keyof OperationConfig)[] = [
  'enabled',
  'requireParent',
  'ignore',
  'spanName',
  'maxTextLength',
  'legacyAttributes',
  'requestHook',
  'responseHook',
];
const OF_SQL: readonly (keyof SqlConfig)[] = [
  ...OF_OPERATIONS,
  'sanitizeText',
  'parameters',
  'returnedRows',
];
const OF_SQL_SERVERS: readonly (keyof SqlServerConfig)[] = [
  ...OF_SQL,
  'sqlCommenter',
  'acquireSpans',
];
const OF_REDIS: readonly (keyof RedisConfig)[] = [
  ...OF_OPERATIONS,
  // The arguments of a command are its values.
  'parameters',
  'publisherContext',
  'streamContext',
];
const OF_POOLS: readonly (keyof PoolConfig)[] = ['enabled'];

/** The options of each client, in the order of the documentation. */
export const OPTIONS_OF_CLIENTS: Readonly<Record<ClientName, readonly (keyof ClientConfig)[]>> = {
  pg: OF_SQL_SERVERS,
  mysql2: OF_SQL_SERVERS,
  mysql: OF_SQL_SERVERS,
  mariadb: OF_SQL_SERVERS,
  postgres: OF_SQL_SERVERS,
  pglite: OF_SQL,
  'better-sqlite3': OF_SQL,
  'node:sqlite': OF_SQL,
  sqlite3: OF_SQL,
  knex: OF_POOLS,
  redis: OF_REDIS,
  ioredis: OF_REDIS,
  mongodb: OF_OPERATIONS,
  memcached: OF_OPERATIONS,
  dataloader: OF_POOLS,
  tarn: OF_POOLS,
  'lru-memoizer': OF_POOLS,
  'generic-pool': OF_POOLS,
};

/** Throws `ERR_OPTION` for an option that the client `name` does not have. */
export function checkOptionsOf(name: ClientName, config: object): void {
  const options: readonly string[] = OPTIONS_OF_CLIENTS[name];
  for (const key of Object.keys(config)) {
    if (!options.includes(key)) {
      throw optionError(`the options of ${name}`, `among ${options.join(', ')}`, key);
    }
  }
}

/** Returns the options of `config` that the client `name` has. */
export function optionsOf(name: ClientName, config: ClientConfig): ClientConfig {
  const options: readonly string[] = OPTIONS_OF_CLIENTS[name];
  return Object.fromEntries(Object.entries(config).filter(([key]) => options.includes(key)));
}
