import type * as pg from 'pg';

import { requireClient, type ClientCase } from './variants.ts';

const url = process.env['DATABASE_URL'];
const TEXT = 'select $1::int as n';

export const PG_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'pg client.query, promise',
          client: 'pg',
          datadogSpans: 1,
          officialSpans: 1,
          open: async () => {
            const { Client } = requireClient<typeof pg>('pg');
            const client = new Client(url);
            await client.connect();
            return { call: () => client.query(TEXT, [1]), close: () => client.end() };
          },
        },
        {
          name: 'pg pool.query, promise',
          client: 'pg',
          datadogSpans: 1,
          officialSpans: 2,
          open: () => {
            const { Pool } = requireClient<typeof pg>('pg');
            const pool = new Pool({ connectionString: url, max: 1, idleTimeoutMillis: 600_000 });
            return { call: () => pool.query(TEXT, [1]), close: () => pool.end() };
          },
        },
        {
          name: 'pg pool.query, callback',
          client: 'pg',
          datadogSpans: 1,
          officialSpans: 2,
          open: () => {
            const { Pool } = requireClient<typeof pg>('pg');
            const pool = new Pool({ connectionString: url, max: 1, idleTimeoutMillis: 600_000 });
            return {
              call: () => new Promise((resolve) => pool.query(TEXT, [1], resolve)),
              close: () => pool.end(),
            };
          },
        },
      ];
