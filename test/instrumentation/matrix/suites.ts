import type { FormSuite } from './form.ts';

/**
 * The forms of every client. They are imported only when asked for, so that an instrumentation can
 * be enabled before the client is loaded.
 */
export const SUITES: Readonly<Record<string, () => Promise<FormSuite>>> = {
  pg: async () => (await import('../clients/pg/forms.ts')).pgForms,
  mysql2: async () => (await import('../clients/mysql2/forms.ts')).mysql2Forms,
  mysql: async () => (await import('../clients/mysql/forms.ts')).mysqlForms,
  mariadb: async () => (await import('../clients/mariadb/forms.ts')).mariadbForms,
  ioredis: async () => (await import('../clients/ioredis/forms.ts')).ioredisForms,
  'ioredis cluster': async () =>
    (await import('../clients/ioredis/cluster-forms.ts')).ioredisClusterForms,
  'ioredis sentinel': async () =>
    (await import('../clients/ioredis/cluster-forms.ts')).ioredisSentinelForms,
  'knex over pg': async () => (await import('../clients/knex/forms.ts')).KNEX_OVER['pg']!,
  'knex over mysql2': async () => (await import('../clients/knex/forms.ts')).KNEX_OVER['mysql2']!,
  'knex over mysql': async () => (await import('../clients/knex/forms.ts')).KNEX_OVER['mysql']!,
  'knex over mariadb': async () => (await import('../clients/knex/forms.ts')).KNEX_OVER['mariadb']!,
  'knex over better-sqlite3': async () =>
    (await import('../clients/knex/forms.ts')).KNEX_OVER['better-sqlite3']!,
  'knex over sqlite3': async () => (await import('../clients/knex/forms.ts')).KNEX_OVER['sqlite3']!,
  redis: async () => (await import('../clients/redis/forms.ts')).redisForms,
  'redis cluster': async () =>
    (await import('../clients/redis/cluster-forms.ts')).redisClusterForms,
  'redis sentinel': async () =>
    (await import('../clients/redis/cluster-forms.ts')).redisSentinelForms,
  'redis 4': async () => (await import('../clients/redis/forms-4.ts')).redis4Forms,
  'redis 4 cluster': async () =>
    (await import('../clients/redis/cluster-4-forms.ts')).redis4ClusterForms,
  mongodb: async () => (await import('../clients/mongodb/forms.ts')).mongodbForms,
  mongoose: async () => (await import('../clients/mongodb/mongoose-forms.ts')).mongooseForms,
  memcached: async () => (await import('../clients/memcached/forms.ts')).memcachedForms,
  postgres: async () => (await import('../clients/postgres/forms.ts')).postgresForms,
  pglite: async () => (await import('../clients/pglite/forms.ts')).pgliteForms,
  'better-sqlite3': async () =>
    (await import('../clients/better-sqlite3/forms.ts')).betterSqlite3Forms,
  'node:sqlite': async () => (await import('../clients/node-sqlite/forms.ts')).nodeSqliteForms,
  sqlite3: async () => (await import('../clients/sqlite3/forms.ts')).sqlite3Forms,
  'generic-pool': async () => (await import('../clients/generic-pool/forms.ts')).genericPoolForms,
  tarn: async () => (await import('../clients/tarn/forms.ts')).tarnForms,
  dataloader: async () => (await import('../clients/dataloader/forms.ts')).dataloaderForms,
  'lru-memoizer': async () => (await import('../clients/lru-memoizer/forms.ts')).lruMemoizerForms,
};
