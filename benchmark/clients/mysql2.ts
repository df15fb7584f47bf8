import type * as mysql2 from 'mysql2';

import type { ClientCase } from './variants.ts';

const url = process.env['MARIADB_URL'];

const official = async () => [
  new (await import('@opentelemetry/instrumentation-mysql2')).MySQL2Instrumentation(),
];

async function loadMysql2(): Promise<typeof mysql2> {
  const { createRequire } = await import('node:module');
  return createRequire(import.meta.url)('mysql2') as typeof mysql2;
}

export const MYSQL_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'mysql2 connection.query, promise',
          official,
          officialSpans: 1,
          open: async () => {
            const connection = (await loadMysql2()).createConnection(url).promise();
            return {
              call: () => connection.query('select ? as n', [1]),
              close: () => connection.end(),
            };
          },
        },
        {
          name: 'mysql2 pool.execute, promise',
          official,
          officialSpans: 1,
          open: async () => {
            const pool = (await loadMysql2()).createPool(url).promise();
            return {
              call: () => pool.execute('select ? as n', [1]),
              close: () => pool.end(),
            };
          },
        },
      ];
