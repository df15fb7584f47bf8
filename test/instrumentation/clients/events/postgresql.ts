import type * as Pg from 'pg';

import { LOST, OTHERS, require, soon, type EventScenario } from './scenario.ts';

const { Client, Pool } = require('pg') as typeof Pg;

const CLIENT = ['connect', 'drain', 'notice', 'notification', 'error', 'end'];
const POOL = ['connect', 'acquire', 'release', 'remove', 'error'];

export const postgresql: EventScenario[] = [
  {
    client: 'pg',
    name: 'a client of one caller',
    service: 'postgresql',
    nobodys: { notification: OTHERS },
    async run({ url, listen, as }) {
      const client = new Client(url);
      listen(client, CLIENT);
      await as('a', async () => {
        await client.connect();
        await client.query('listen clew_events; notify clew_events');
        await client.query("do $$ begin raise notice 'x'; end $$");
        await soon();
        await client.end();
      });
    },
  },
  {
    client: 'pg',
    name: 'a client that another caller opened',
    service: 'postgresql',
    callers: { drain: 'b', notice: 'b', end: 'c' },
    nobodys: { notification: OTHERS },
    async run({ url, listen, as }) {
      const client = new Client(url);
      listen(client, CLIENT);
      await as('a', () => client.connect());
      await as('b', async () => {
        await client.query('listen clew_events; notify clew_events');
        await client.query("do $$ begin raise notice 'x'; end $$");
        await soon();
      });
      await as('c', () => client.end());
    },
  },
  {
    client: 'pg',
    name: 'a client that the server closes',
    service: 'postgresql',
    nobodys: { error: LOST, end: LOST },
    async run({ url, listen, as }) {
      const client = new Client(url);
      listen(client, CLIENT);
      await as('a', async () => {
        await client.connect();
        await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
        await soon();
      });
      await client.end().catch(() => undefined);
    },
  },
  {
    client: 'pg',
    name: 'a pool of one',
    service: 'postgresql',
    callers: { acquire: 'abcde', release: 'abcde', remove: 'de' },
    async run({ url, listen, as }) {
      const pool = new Pool({ connectionString: url, max: 1, idleTimeoutMillis: 20 });
      listen(pool, POOL);
      // A client is gone once it has said farewell, and whose farewell is first is open.
      let removed = 0;
      const gone = new Promise<void>((resolve) => {
        pool.on('remove', () => {
          removed += 1;
          if (removed === 2) resolve();
        });
      });
      await Promise.all(['a', 'b', 'c'].map((name) => as(name, () => pool.query('select 1'))));
      await as('d', async () => {
        const client = await pool.connect();
        await client.query('select 1');
        client.release(true);
      });
      await as('e', () => pool.query('select 1'));
      await gone;
      await as('f', () => pool.end());
    },
  },
  {
    client: 'pg',
    name: 'a pool of one by callbacks',
    service: 'postgresql',
    callers: { acquire: 'abc', release: 'abc' },
    async run({ url, listen, as }) {
      const pool = new Pool({ connectionString: url, max: 1 });
      listen(pool, POOL);
      const use = (): Promise<void> =>
        new Promise((resolve, reject) => {
          pool.connect((error, client, release) => {
            if (error) reject(error);
            else
              client!.query('select 1', () => {
                release();
                resolve();
              });
          });
        });
      await Promise.all(['a', 'b', 'c'].map((name) => as(name, use)));
      await pool.end();
    },
  },
];
