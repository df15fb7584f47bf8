import { KAFKA, NATS, RABBITMQ_PATIENCE } from './brokers.ts';
import { FERRETDB } from './ferretdb.ts';
import { BUILD_LIMIT, builtBinary, type GoProgram } from './go-build.ts';
import { createInstance, embeddedPostgresql, type Instance } from './instances.ts';

/*
 * Servers for the tests. Each is found, in this order: by its URL in the environment; as a private
 * instance started from binaries on this machine; embedded. `instances` holds what was started and
 * is emptied by `stopServices`, a root hook.
 */

export type ServiceName =
  | 'postgresql'
  | 'mariadb'
  | 'redis'
  | 'redis-cluster'
  | 'redis-sentinel'
  | 'mongodb'
  | 'memcached'
  | 'rabbitmq'
  | 'mqtt'
  | 'nats'
  | 'kafka'
  | 'jaeger';

/** The variable that names a running server: the same as for the demo and docker-compose.yml. */
export const URL_VARIABLES: Record<ServiceName, string> = {
  postgresql: 'DATABASE_URL',
  mariadb: 'MARIADB_URL',
  redis: 'REDIS_URL',
  'redis-cluster': 'REDIS_CLUSTER_URL',
  'redis-sentinel': 'REDIS_SENTINEL_URL',
  mongodb: 'MONGODB_URL',
  memcached: 'MEMCACHED_URL',
  rabbitmq: 'RABBITMQ_URL',
  mqtt: 'MQTT_URL',
  nats: 'NATS_URL',
  kafka: 'KAFKA_URL',
  jaeger: 'JAEGER_URL',
};

/** What a suite can do with. */
export interface ServiceOptions {
  /**
   * Whether PGlite is enough where there is no PostgreSQL. It speaks the same protocol, but all its
   * connections share one session: statements, cursors, transactions and errors of one client reach
   * the others, so that it is no ground for a suite about several clients.
   */
  embedded?: boolean;
}

/** Those that no package manager brings. */
const UNPACKAGED: ReadonlySet<ServiceName> = new Set<ServiceName>([
  'mongodb',
  'nats',
  'kafka',
  'jaeger',
]);

/** Those that are built where they are first asked for, unless they were before. */
const BUILT: Partial<Record<ServiceName, GoProgram>> = {
  mongodb: FERRETDB,
  nats: NATS,
  kafka: KAFKA,
};

const instances = new Map<ServiceName | 'embedded', Promise<Instance | string>>();
const skipped = new Set<string>();

/**
 * The URL of a running `name`, started if need be and shared by all suites of the run.
 *
 * Where there is none, the suite that asked is skipped and the closing lines of the run say what is
 * missing. With `REQUIRE_SERVICES=1` a missing database is a failure instead, but for those that no
 * package manager brings; `REQUIRE_SERVICES=postgresql,jaeger` names the required ones.
 */
export async function requireService(
  suite: Mocha.Context,
  name: ServiceName,
  { embedded = false }: ServiceOptions = {},
): Promise<string> {
  const fromEnvironment = process.env[URL_VARIABLES[name]];
  if (fromEnvironment) return fromEnvironment;
  const program = BUILT[name];
  if (program && !builtBinary(program)) suite.timeout(BUILD_LIMIT + 60_000);
  if (name === 'rabbitmq') suite.timeout(RABBITMQ_PATIENCE + 10_000);
  let found = await shared(name, () => createInstance(name));
  if (typeof found === 'string' && name === 'postgresql' && !isRequired(name)) {
    if (embedded) found = await shared('embedded', embeddedPostgresql);
    else found += ', and the one session of PGlite is not enough for suites about several clients';
  }
  if (typeof found !== 'string') return found.url;
  const missing = `${name}: ${found}`;
  if (isRequired(name)) throw new Error(`REQUIRE_SERVICES is set, but there is no ${missing}`);
  skipped.add(missing);
  return suite.skip();
}

function shared(
  key: ServiceName | 'embedded',
  create: () => Promise<Instance | string>,
): Promise<Instance | string> {
  let instance = instances.get(key);
  if (!instance) instances.set(key, (instance = create()));
  return instance;
}

/** Skips a suite for another reason than a server; the closing lines of the run say it. */
export function skipSuite(suite: Mocha.Context, reason: string): never {
  skipped.add(reason);
  return suite.skip();
}

function isRequired(name: ServiceName): boolean {
  const required = process.env['REQUIRE_SERVICES'] ?? '';
  return required === '1' ? !UNPACKAGED.has(name) : required.split(',').includes(name);
}

/** Has the closing lines of the run say what a suite went without. */
export function noteSkipped(missing: string): void {
  skipped.add(missing);
}

/** One line for each server that suites went without. */
export function skippedServices(): string[] {
  return [...skipped];
}

export async function stopServices(): Promise<void> {
  // One that could not start was told to its suites, and keeps none of the others running.
  const started = await Promise.allSettled(instances.values());
  instances.clear();
  for (const { value } of started.filter((each) => each.status === 'fulfilled')) {
    if (typeof value !== 'string') await value.stop();
  }
}
