import { selected } from '../clients/cases.ts';
import { MARIADB_CASES } from '../clients/mariadb.ts';
import { MYSQL_CASES } from '../clients/mysql.ts';
import { PG_CASES } from '../clients/pg.ts';
import { REDIS_CASES } from '../clients/redis.ts';
import { CLIENT_VARIANTS, prepareClient, variantsOf } from '../clients/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

/** `npm run bench:clients` runs this group, too. */
export const group: BenchmarkGroup = {
  description:
    "as `clients`, but the server's answers are replayed in the process: what the client and whoever instruments it cost without the network",
  variants: CLIENT_VARIANTS,
  baseline: 'bare',
  cases: selected([...PG_CASES, ...MYSQL_CASES, ...MARIADB_CASES, ...REDIS_CASES]).map((found) => ({
    name: found.name,
    unit: 'us CPU',
    variants: variantsOf(found),
    prepare: (variant) => prepareClient(found, variant, 'replay'),
  })),
};
