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

/** `cases` in the order of the clients. */
export function inOrder(cases: readonly ClientCase[]): ClientCase[] {
  return Object.keys(CLIENTS).flatMap((client) => cases.filter((found) => found.client === client));
}

/** The servers that they need. */
export const CLIENT_SERVICES: readonly ServiceName[] = [
  ...new Set(Object.values(CLIENTS).filter((service) => service !== undefined)),
];
