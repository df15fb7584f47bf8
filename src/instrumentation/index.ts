import type { ClientDefinition } from './client.ts';
import type { ClientConfig } from './client-config.ts';
import { ClientInstrumentation } from './client-instrumentation.ts';
import {
  checkOptionsOf,
  optionsOf,
  type ClientConfigs,
  type ClientName,
} from './client-options.ts';
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
import { environment } from '../base/environment.ts';
import { optionError } from '../base/errors.ts';
import { sayOnce } from '../base/log.ts';
import { HttpClientInstrumentation, type HttpClientConfig } from './http/client/index.ts';
import { FRAMEWORKS, type FrameworkName } from './frameworks/index.ts';
import {
  FrameworkInstrumentation,
  type FrameworkConfig,
} from './frameworks/framework-instrumentation.ts';
import { HttpInstrumentation, type HttpConfig } from './http/http-instrumentation.ts';
import type { Instrumentation } from './instrumentation.ts';
import { LOGGERS, type LoggerName } from './loggers/index.ts';
import { LoggerInstrumentation, type LoggerConfig } from './loggers/logger-instrumentation.ts';
import { MESSAGING, MESSAGING_NAMES, type MessagingName } from './messaging/index.ts';
import type { MessagingConfig } from './messaging/messaging-config.ts';
import { MessagingInstrumentation } from './messaging/messaging-instrumentation.ts';
import { readConsumerSpans, type ConsumerSpans } from './messaging/messaging-settings.ts';
import { readRequireParent, requiresParent, type RequireParent } from './require-parent.ts';

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

/** The names of the libraries in configuration. */
export type LibraryName =
  ClientName | MessagingName | LoggerName | FrameworkName | 'http' | 'undici';

/** The libraries of the instrumentations below, by their names in configuration. */
export const INSTRUMENTED_LIBRARIES: readonly LibraryName[] = [
  ...CLIENT_NAMES,
  ...MESSAGING_NAMES,
  ...(Object.keys(LOGGERS) as LoggerName[]),
  ...(Object.keys(FRAMEWORKS) as FrameworkName[]),
  'http',
  'undici',
];

/**
 * Configuration by library. `all` applies to every client, `messaging` to every producer and
 * consumer and `logs` to every logger; a library's own options take precedence.
 */
export type InstrumentationOptions = Partial<Record<'all', ClientConfig>> &
  Partial<ClientConfigs> &
  Partial<Record<'messaging' | MessagingName, MessagingConfig>> &
  Partial<Record<'logs' | LoggerName, LoggerConfig>> &
  Partial<Record<FrameworkName, FrameworkConfig>> & { http?: HttpConfig };

/**
 * Returns the instrumentations of HTTP and of all clients, loggers and frameworks. Pass them to
 * `registerInstrumentations` of `@opentelemetry/instrumentation`, or call `enable()` on each. Those
 * configured with `enabled: false` are left out.
 */
export function getInstrumentations(options: InstrumentationOptions = {}): Instrumentation[] {
  return createInstrumentations(options, defaultsOfEnvironment());
}

/** What the environment says of all libraries. */
export interface InstrumentationDefaults {
  readonly requireParent: RequireParent;
  readonly consumerSpans: ConsumerSpans;
}

/**
 * Returns the instrumentation of one library: `getInstrumentation('pg', { sqlCommenter: true })`.
 * The one for `http` records requests. The one for `undici` also records `fetch`, and takes the
 * same options as `outgoing` of `http`. Throws `ERR_OPTION` for an unknown name or option.
 */
export function getInstrumentation<Name extends LibraryName>(
  library: Name,
  config?: (InstrumentationOptions & { undici?: HttpClientConfig })[Name],
): Instrumentation {
  checkName('getInstrumentation', library, INSTRUMENTED_LIBRARIES);
  const options =
    library === 'undici' ? { http: { outgoing: config } } : { [library]: config ?? {} };
  return instrumentationOf(library, options as InstrumentationOptions, defaultsOfEnvironment());
}

/** The same by another word on the defaults than the environment's. */
export function createInstrumentations(
  options: InstrumentationOptions,
  defaults: InstrumentationDefaults,
): Instrumentation[] {
  const names = ['all', 'messaging', 'logs', ...INSTRUMENTED_LIBRARIES];
  for (const name of Object.keys(options)) checkName('getInstrumentations', name, names);
  return INSTRUMENTED_LIBRARIES.filter((name) => isWanted(name, options)).map((name) =>
    instrumentationOf(name, options, defaults),
  );
}

function isWanted(name: LibraryName, options: InstrumentationOptions): boolean {
  const own = options[name === 'undici' ? 'http' : name];
  const family = isOf(CLIENTS, name)
    ? options.all
    : isOf(MESSAGING, name)
      ? options.messaging
      : isOf(LOGGERS, name)
        ? options.logs
        : undefined;
  return (own?.enabled ?? family?.enabled) !== false;
}

function instrumentationOf(
  name: LibraryName,
  options: InstrumentationOptions,
  { requireParent, consumerSpans }: InstrumentationDefaults,
): Instrumentation {
  if (isOf(CLIENTS, name)) {
    const own = options[name] ?? {};
    checkOptionsOf(name, own);
    const config = { ...optionsOf(name, options.all ?? {}), ...own };
    return new ClientInstrumentation(CLIENTS[name], config, requiresParent(requireParent, name));
  }
  if (isOf(MESSAGING, name)) {
    const config = { ...options.messaging, ...options[name] };
    const defaultSpan = consumerSpans[name] ?? consumerSpans['all'];
    return new MessagingInstrumentation(MESSAGING[name], config, defaultSpan);
  }
  if (isOf(LOGGERS, name)) {
    return new LoggerInstrumentation(LOGGERS[name], { ...options.logs, ...options[name] });
  }
  if (isOf(FRAMEWORKS, name)) return new FrameworkInstrumentation(FRAMEWORKS[name], options[name]);
  return name === 'http'
    ? new HttpInstrumentation(options.http)
    : new HttpClientInstrumentation('undici', options.http?.outgoing);
}

/** Whether `name` is one of a family of libraries. */
function isOf<Family extends object>(
  family: Family,
  name: PropertyKey,
): name is Extract<keyof Family, string> {
  return Object.hasOwn(family, name);
}

function checkName(option: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw optionError(option, `given ${names.join(', ')}`, name);
}

function defaultsOfEnvironment(): InstrumentationDefaults {
  const { requireParent, problems } = readRequireParent(environment(), CLIENT_NAMES);
  const { consumerSpans, problems: badSpans } = readConsumerSpans(environment(), MESSAGING_NAMES);
  for (const { message } of [...problems, ...badSpans]) sayOnce('warn', message, message);
  return { requireParent, consumerSpans };
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
export { leaveHandlerSpans, suspectHandlerSpans } from './http/server/handler-span.ts';
export { isOfficialOnUndici } from './http/official.ts';
export type { HttpServerConfig, RequestHead } from './http/server/server-config.ts';
export { readHttpServerSettings } from './http/server/server-settings.ts';
export { setHttpRoute } from './http/server/server-request.ts';
export { hookImports } from './imports/import-hooks.ts';
export { keptWithoutRules, MESSAGING_NAMES, type MessagingName } from './messaging/index.ts';
export type { ConsumerSpan, MessagingConfig } from './messaging/messaging-config.ts';
export { MessagingInstrumentation } from './messaging/messaging-instrumentation.ts';
export type { MessageOperation } from './messaging/message-operation.ts';
export { readConsumerSpans, type ConsumerSpans } from './messaging/messaging-settings.ts';
export { readRequireParent, type RequireParent } from './require-parent.ts';
export { deliverBuiltinsLater } from './late-builtins.ts';
export { isPackageWanted } from './module-hooks.ts';
export { onPackage } from './seen-packages.ts';
export { onPatchedLibrary, patchedLibraries } from './patched-modules.ts';
export { isPatchedElsewhere } from './other-patches.ts';
export { ClientInstrumentation } from './client-instrumentation.ts';
export type { Instrumentation } from './instrumentation.ts';
export type { ClientConfig } from './client-config.ts';
export type {
  ClientConfigs,
  ClientName,
  OperationConfig,
  PoolConfig,
  RedisConfig,
  SqlConfig,
  SqlServerConfig,
} from './client-options.ts';
export type { LogFields } from './loggers/log-fields.ts';
export type { LoggerConfig } from './loggers/logger-instrumentation.ts';
export {
  FrameworkInstrumentation,
  type FrameworkConfig,
} from './frameworks/framework-instrumentation.ts';
export { patchConsole } from './loggers/console.ts';
