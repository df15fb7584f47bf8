import type * as mariadb from 'mariadb';
import type * as mariadbCallback from 'mariadb/callback';

import { requireClient, type ClientCase } from './variants.ts';

const url = process.env['MARIADB_URL']?.replace(/^mysql:/, 'mariadb:');
const TEXT = 'select ? as n';

export const MARIADB_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'mariadb connection.query, promise',
          client: 'mariadb',
          datadogSpans: 1,
          open: async () => {
            const { createConnection } = requireClient<typeof mariadb>('mariadb');
            const connection = await createConnection(url);
            return { call: () => connection.query(TEXT, [1]), close: () => connection.end() };
          },
        },
        {
          name: 'mariadb pool.query, promise',
          client: 'mariadb',
          datadogSpans: 1,
          open: () => {
            // A connection that was idle while others had their turn is asked for nothing first.
            const options = 'connectionLimit=1&minDelayValidation=600000';
            const pool = requireClient<typeof mariadb>('mariadb').createPool(
              `${url}${url.includes('?') ? '&' : '?'}${options}`,
            );
            return { call: () => pool.query(TEXT, [1]), close: () => pool.end() };
          },
        },
        {
          name: 'mariadb connection.query, callback',
          client: 'mariadb',
          datadogSpans: 1,
          open: () => {
            const { createConnection } = requireClient<typeof mariadbCallback>('mariadb/callback');
            const connection = createConnection(url);
            return {
              call: () => new Promise((resolve) => connection.query(TEXT, [1], resolve)),
              close: () => new Promise<void>((resolve) => connection.end(() => resolve())),
            };
          },
        },
      ];
