import type createKnex from 'knex';
import type postgres from 'postgres';

import { requireClient, type ClientCase } from './variants.ts';

/* What is used of PostgreSQL beside pg itself: postgres.js, and knex over pg. */
const url = process.env['DATABASE_URL'];

export const POSTGRES_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'postgres sql``, promise',
          client: 'postgres',
          datadogSpans: 1,
          open: () => {
            const sql = requireClient<typeof postgres>('postgres')(url, { max: 1 });
            return { call: () => sql`select ${1}::int as n`, close: () => sql.end() };
          },
        },
        {
          name: 'knex over pg, builder',
          client: 'knex',
          over: ['pg', 'tarn'],
          open: () => {
            const knex = requireClient<typeof createKnex>('knex')({
              client: 'pg',
              connection: url,
              pool: { min: 1, max: 1 },
            });
            return {
              call: () => knex.select(knex.raw('1 as n')),
              close: () => knex.destroy(),
            };
          },
        },
      ];
