import { selected } from '../clients/cases.ts';
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

/*
 * `npm run bench:clients` starts the servers and runs this group. Without their URLs in the
 * environment there is nothing to measure but the embedded databases.
 */
export const group: BenchmarkGroup = {
  description:
    'one call after the other over loopback, CPU time of this process: the client bare, with this package, with the official package where there is one',
  variants: CLIENT_VARIANTS,
  baseline: 'bare',
  cases: selected([
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
    prepare: (variant) => prepareClient(found, variant),
  })),
};
