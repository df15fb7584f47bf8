import type * as mysql from 'mysql';
import type * as mysql2 from 'mysql2';

import { requireClient, type ClientCase } from './variants.ts';

const url = process.env['MARIADB_URL'];
const TEXT = 'select ? as n';

export const MYSQL_CASES: readonly ClientCase[] =
  url === undefined
    ? []
    : [
        {
          name: 'mysql2 connection.query, promise',
          client: 'mysql2',
          datadogSpans: 1,
          officialSpans: 1,
          open: () => {
            const connection = requireClient<typeof mysql2>('mysql2')
              .createConnection(url)
              .promise();
            return {
              call: () => connection.query(TEXT, [1]),
              close: () => connection.end(),
            };
          },
        },
        {
          name: 'mysql2 pool.execute, promise',
          client: 'mysql2',
          datadogSpans: 1,
          officialSpans: 1,
          open: () => {
            const pool = requireClient<typeof mysql2>('mysql2').createPool(url).promise();
            return {
              call: () => pool.execute(TEXT, [1]),
              close: () => pool.end(),
            };
          },
        },
        {
          name: 'mysql connection.query, callback',
          client: 'mysql',
          datadogSpans: 1,
          officialSpans: 1,
          open: () => {
            const connection = requireClient<typeof mysql>('mysql').createConnection(url);
            return {
              call: () => new Promise((resolve) => connection.query(TEXT, [1], resolve)),
              close: () => new Promise((resolve) => connection.end(resolve)),
            };
          },
        },
        {
          name: 'mysql pool.query, callback',
          client: 'mysql',
          datadogSpans: 1,
          officialSpans: 2,
          open: () => {
            const pool = requireClient<typeof mysql>('mysql').createPool(url);
            return {
              call: () => new Promise((resolve) => pool.query(TEXT, [1], resolve)),
              close: () => new Promise((resolve) => pool.end(resolve)),
            };
          },
        },
      ];
