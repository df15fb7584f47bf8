import type { ClientDefinition } from './client.ts';
import type { ClientConfig } from './client-config.ts';
import { betterSqlite3 } from './clients/better-sqlite3/index.ts';
import { nodeSqlite } from './clients/node-sqlite/index.ts';
import { pglite } from './clients/pglite/index.ts';
import { postgres } from './clients/postgres/index.ts';
import { sqlite3 } from './clients/sqlite3/index.ts';
import { mariadb } from './clients/mariadb/index.ts';
import { mysql2 } from './clients/mysql2/index.ts';
import { knex } from './clients/knex/index.ts';
import { mysql } from './clients/mysql/index.ts';
import { ioredis } from './clients/ioredis/index.ts';
import { dataloader } from './clients/dataloader/index.ts';
import { genericPool } from './clients/generic-pool/index.ts';
import { lruMemoizer } from './clients/lru-memoizer/index.ts';
import { memcached } from './clients/memcached/index.ts';
import { mongodb } from './clients/mongodb/index.ts';
import { pg } from './clients/pg/index.ts';
import { redis } from './clients/redis/index.ts';
import { tarn } from './clients/tarn/index.ts';
import { optionError } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { HttpClientInstrumentation } from './http/client/index.ts';
import { FRAMEWORKS, type FrameworkName } from './frameworks/index.ts';
import {
  FrameworkInstrumentation,
  type FrameworkConfig,
} from './frameworks/framework-instrumentation.ts';
import { HttpInstrumentation, type HttpConfig } from './http/http-instrumentation.ts';
import { ClientInstrumentation, type Instrumentation } from './instrumentation.ts';
import { LOGGERS, type LoggerName } from './loggers/index.ts';
import { LoggerInstrumentation, type LoggerConfig } from './loggers/logger-instrumentation.ts';
import { readRequireParent, requiresParent, type RequireParent } from './require-parent.ts';

/** The clients by their names in configuration. */
export type ClientName =
  | 'pg'
  | 'mysql2'
  | 'mysql'
  | 'mariadb'
  | 'postgres'
  | 'pglite'
  | 'better-sqlite3'
  | 'node:sqlite'
  | 'sqlite3'
  | 'knex'
  | 'redis'
  | 'ioredis'
  | 'mongodb'
  | 'memcached'
  | 'dataloader'
  | 'tarn'
  | 'lru-memoizer'
  | 'generic-pool';

/** Every client, in the order of the documentation. */
export const CLIENTS: Readonly<Record<ClientName, ClientDefinition>> = {
  pg,
  mysql2,
  mysql,
  mariadb,
  postgres,
  pglite,
  'better-sqlite3': betterSqlite3,
  'node:sqlite': nodeSqlite,
  sqlite3,
  knex,
  redis,
  ioredis,
  mongodb,
  memcached,
  dataloader,
  tarn,
  'lru-memoizer': lruMemoizer,
  'generic-pool': genericPool,
};

/** The clients by their names in configuration, in the order of the documentation. */
export const CLIENT_NAMES = Object.keys(CLIENTS) as readonly ClientName[];

/** The libraries of the instrumentations below, by their names in configuration. */
export const INSTRUMENTED_LIBRARIES: readonly string[] = [
  ...CLIENT_NAMES,
  ...Object.keys(LOGGERS),
  ...Object.keys(FRAMEWORKS),
  'http',
  'undici',
];

/**
 * Configuration by library; `all` holds what is common to the clients, and yields to a client's own,
 * `logs` what is common to the loggers.
 */
export type InstrumentationOptions = Partial<Record<'all' | ClientName, ClientConfig>> &
  Partial<Record<'logs' | LoggerName, LoggerConfig>> &
  Partial<Record<FrameworkName, FrameworkConfig>> & { http?: HttpConfig };

/**
 * The instrumentations of all clients, loggers and frameworks and of HTTP, for `registerInstrumentations` of
 * `@opentelemetry/instrumentation` or to be enabled by hand. Those that are configured with
 * `enabled: false` are left out.
 */
export function getInstrumentations(options: InstrumentationOptions = {}): Instrumentation[] {
  const { requireParent, problems } = readRequireParent(process.env, CLIENT_NAMES);
  for (const { message } of problems) sayOnce('warn', message, message);
  return createInstrumentations(options, requireParent);
}

/** The same by another word on whether operations need a parent than the environment's. */
export function createInstrumentations(
  options: InstrumentationOptions,
  requireParent: RequireParent,
): Instrumentation[] {
  const names = ['all', 'logs', ...INSTRUMENTED_LIBRARIES];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw optionError('getInstrumentations', `given ${names.join(', ')}`, name);
    }
  }
  const clients = CLIENT_NAMES.map((name) => ({
    client: CLIENTS[name],
    config: { ...options.all, ...options[name] },
  }))
    .filter(({ config }) => config.enabled !== false)
    .map(({ client, config }) => {
      return new ClientInstrumentation(client, config, requiresParent(requireParent, client.name));
    });
  const loggers = (Object.keys(LOGGERS) as LoggerName[])
    .map((name) => ({ logger: LOGGERS[name], config: { ...options.logs, ...options[name] } }))
    .filter(({ config }) => config.enabled !== false)
    .map(({ logger, config }) => new LoggerInstrumentation(logger, config));
  const frameworks = (Object.keys(FRAMEWORKS) as FrameworkName[])
    .map((name) => ({ framework: FRAMEWORKS[name], config: options[name] ?? {} }))
    .filter(({ config }) => config.enabled !== false)
    .map(({ framework, config }) => new FrameworkInstrumentation(framework, config));
  const http: Instrumentation[] =
    options.http?.enabled === false
      ? []
      : [
          new HttpInstrumentation(options.http),
          new HttpClientInstrumentation('undici', options.http?.outgoing),
        ];
  return [...clients, ...loggers, ...frameworks, ...http];
}

export {
  checkHttpConfig,
  HttpInstrumentation,
  type Direction,
  type HttpConfig,
} from './http/http-instrumentation.ts';
export { HttpClientInstrumentation } from './http/client/index.ts';
export type { HttpClientConfig, IncomingResponse, OutgoingRequest } from './http/client/index.ts';
export { readHttpClientSettings } from './http/client/client-settings.ts';
export { isOfficialOnUndici } from './http/official.ts';
export type { HttpServerConfig, RequestHead } from './http/server/server-config.ts';
export { readHttpServerSettings } from './http/server/server-settings.ts';
export { setHttpRoute } from './http/server/server-request.ts';
export { hookImports } from './imports/import-hooks.ts';
export { readRequireParent, type RequireParent } from './require-parent.ts';
export { deliverBuiltinsLater } from './late-builtins.ts';
export { isPackageWanted } from './module-hooks.ts';
export { onPackage } from './seen-packages.ts';
export { isPatchedElsewhere } from './other-patches.ts';
export { ClientInstrumentation, type Instrumentation } from './instrumentation.ts';
export type { ClientConfig } from './client-config.ts';
export type { LogFields } from './loggers/log-fields.ts';
export type { LoggerConfig } from './loggers/logger-instrumentation.ts';
export {
  FrameworkInstrumentation,
  type FrameworkConfig,
} from './frameworks/framework-instrumentation.ts';
export { patchConsole } from './loggers/console.ts';
