import type { Instrumentation } from '@opentelemetry/instrumentation';

/** OpenTelemetry's own instrumentation of a client, where there is one. */
export async function officialInstrumentations(client: string): Promise<Instrumentation[]> {
  switch (client) {
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

/** The clients of which there is one. */
export const OFFICIAL: readonly string[] = [
  'pg',
  'mysql',
  'mysql2',
  'ioredis',
  'redis',
  'mongodb',
  'memcached',
];
