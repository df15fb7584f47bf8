import type { ServiceName } from '../../test/support/services.ts';
import type { ClientCase } from './variants.ts';

/** The clients that are measured, and the server each needs; those without one are embedded. */
export const CLIENTS: Readonly<Record<string, ServiceName | undefined>> = {
  pg: 'postgresql',
  postgres: 'postgresql',
  knex: 'postgresql',
  mysql2: 'mariadb',
  mysql: 'mariadb',
  mariadb: 'mariadb',
  'better-sqlite3': undefined,
  'node:sqlite': undefined,
  sqlite3: undefined,
  pglite: undefined,
  redis: 'redis',
  ioredis: 'redis',
  mongodb: 'mongodb',
  memcached: 'memcached',
};

/** Names the clients to be measured, for this process and those of its cases. */
export const SELECTION = 'CLEW_BENCH_CLIENTS';

/** `cases`, as far as they are to be measured and in the order of the clients. */
export function selected(cases: readonly ClientCase[]): ClientCase[] {
  const wanted = process.env[SELECTION]?.split(',') ?? Object.keys(CLIENTS);
  return Object.keys(CLIENTS)
    .filter((client) => wanted.includes(client))
    .flatMap((client) => cases.filter((found) => found.client === client));
}
