import { CLIENT_SERVICES, inOrder } from '../clients/cases.ts';
import { MARIADB_CASES } from '../clients/mariadb.ts';
import { MYSQL_CASES } from '../clients/mysql.ts';
import { PG_CASES } from '../clients/pg.ts';
import { REDIS_CASES } from '../clients/redis.ts';
import { CLIENT_VARIANTS, prepareClient, variantsOf } from '../clients/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

export const group: BenchmarkGroup = {
  description:
    "as `clients`, but the server's answers are replayed in the process: what the client and whoever instruments it cost without the network",
  variants: CLIENT_VARIANTS,
  baseline: 'bare',
  mark: 'bench-clients-replayed',
  ours: ['clew-on'],
  peers: ['official-on', 'dd-trace'],
  services: CLIENT_SERVICES,
  quick: { cases: ['pg pool.query, promise'], variants: ['clew-on', 'official-on'] },
  cases: inOrder([...PG_CASES, ...MYSQL_CASES, ...MARIADB_CASES, ...REDIS_CASES]).map((found) => ({
    name: found.name,
    unit: 'us CPU',
    variants: variantsOf(found),
    prepare: (variant) => prepareClient(found, variant, 'replay'),
  })),
};
