import { CLIENT_SERVICES, inOrder } from '../clients/cases.ts';
import { embeddedCases } from '../clients/embedded.ts';
import { KEY_VALUE_CASES } from '../clients/key-value.ts';
import { MARIADB_CASES } from '../clients/mariadb.ts';
import { MYSQL_CASES } from '../clients/mysql.ts';
import { PG_CASES } from '../clients/pg.ts';
import { PIPELINE_CASES } from '../clients/pipelines.ts';
import { POSTGRES_CASES } from '../clients/postgres.ts';
import { REDIS_CASES } from '../clients/redis.ts';
import { CLIENT_VARIANTS, prepareClient, variantsOf } from '../clients/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

export const group: BenchmarkGroup = {
  description:
    'one call after the other over loopback, CPU time of this process: the client bare, with this package, with the official package where there is one',
  variants: CLIENT_VARIANTS,
  baseline: 'bare',
  mark: 'bench-clients',
  ours: ['clew-on'],
  peers: ['official-on', 'dd-trace'],
  services: CLIENT_SERVICES,
  quick: {
    cases: [
      'pg pool.query, promise',
      'mysql2 pool.execute, promise',
      'better-sqlite3 statement.get',
      'ioredis get',
      'ioredis get, 16 at once',
      'mongodb findOne, promise',
    ],
    variants: ['span', 'clew-on', 'official-on', 'dd-trace'],
  },
  // Native add-ons are built where the cases are asked for, for the Node that measures them.
  get cases() {
    return inOrder([
      ...PG_CASES,
      ...POSTGRES_CASES,
      ...MYSQL_CASES,
      ...MARIADB_CASES,
      ...embeddedCases(),
      ...REDIS_CASES,
      ...PIPELINE_CASES,
      ...KEY_VALUE_CASES,
    ]).map((found) => ({
      name: found.name,
      unit: 'us CPU',
      variants: variantsOf(found),
      prepare: (variant: string) => prepareClient(found, variant),
    }));
  },
};
