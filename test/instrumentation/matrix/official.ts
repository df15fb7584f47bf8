import type { Instrumentation } from '@opentelemetry/instrumentation';

/** OpenTelemetry's own instrumentation of a client, where there is one. */
export async function officialInstrumentations(client: string): Promise<Instrumentation[]> {
  // A cluster, a sentinel and an earlier version are named after the client.
  switch (client.split(' ')[0]) {
    case 'pg':
      return [new (await import('@opentelemetry/instrumentation-pg')).PgInstrumentation()];
    case 'mysql':
      return [new (await import('@opentelemetry/instrumentation-mysql')).MySQLInstrumentation()];
    case 'mysql2':
      return [new (await import('@opentelemetry/instrumentation-mysql2')).MySQL2Instrumentation()];
    case 'ioredis':
      return [
        new (await import('@opentelemetry/instrumentation-ioredis')).IORedisInstrumentation({
          requireParentSpan: false,
        }),
      ];
    case 'redis':
      return [new (await import('@opentelemetry/instrumentation-redis')).RedisInstrumentation()];
    case 'mongodb':
      return [
        new (await import('@opentelemetry/instrumentation-mongodb')).MongoDBInstrumentation(),
      ];
    case 'memcached':
      return [
        new (await import('@opentelemetry/instrumentation-memcached')).MemcachedInstrumentation(),
      ];
    default:
      return [];
  }
}

/** Whether there is one. */
export function hasOfficial(client: string): boolean {
  return OFFICIAL.includes(client.split(' ')[0] ?? '');
}

const OFFICIAL = ['pg', 'mysql', 'mysql2', 'ioredis', 'redis', 'mongodb', 'memcached'];
