import { MYSQL_CASES } from '../clients/mysql.ts';
import { PG_CASES } from '../clients/pg.ts';
import { CLIENT_VARIANTS, prepareClient } from '../clients/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

/*
 * `npm run bench:clients` starts the servers and runs this group. Without their URLs in the
 * environment there is nothing to measure.
 */
export const group: BenchmarkGroup = {
  description:
    'one query after the other over loopback, CPU time of this process: the client bare, with this package, with the official package',
  variants: CLIENT_VARIANTS,
  baseline: 'bare',
  cases: [...PG_CASES, ...MYSQL_CASES].map((found) => ({
    name: found.name,
    unit: 'us CPU',
    prepare: (variant) => prepareClient(found, variant),
  })),
};
