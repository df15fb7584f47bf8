import type * as pg from 'pg';

import type { ClientCase } from './variants.ts';

const url = process.env['DATABASE_URL'];
const TEXT = 'select $1::int as n';

const official = async () => [
  new (await import('@opentelemetry/instrumentation-pg')).PgInstrumentation(),
];

/** Loaded by `require`, which is where the official package looks without a loader. */
async function loadPg(): Promise<typeof pg> {
  const { createRequire } = await import('node:module');
  return createRequire(import.meta.url)('pg') as typeof pg;
}

export const PG_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'pg client.query, promise',
          official,
          officialSpans: 1,
          open: async () => {
            const { Client } = await loadPg();
            const client = new Client(url);
            await client.connect();
            return { call: () => client.query(TEXT, [1]), close: () => client.end() };
          },
        },
        {
          name: 'pg pool.query, promise',
          official,
          officialSpans: 2,
          open: async () => {
            const { Pool } = await loadPg();
            const pool = new Pool({ connectionString: url, max: 1 });
            return { call: () => pool.query(TEXT, [1]), close: () => pool.end() };
          },
        },
        {
          name: 'pg pool.query, callback',
          official,
          officialSpans: 2,
          open: async () => {
            const { Pool } = await loadPg();
            const pool = new Pool({ connectionString: url, max: 1 });
            return {
              call: () => new Promise((resolve) => pool.query(TEXT, [1], resolve)),
              close: () => pool.end(),
            };
          },
        },
      ];
