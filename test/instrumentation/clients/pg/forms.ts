import assert from 'node:assert/strict';
import { once } from 'node:events';

import * as newest from 'pg';
import type { Client, Pool, PoolClient, QueryConfig } from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';

import type { Form, FormSuite, Note, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

const ROWS = 'select generate_series(1, 5) as n';

async function transaction(client: PoolClient, note: Note): Promise<void> {
  await called((done) => client.query('begin', noted(note, done)));
  await called((done) => client.query('select 1', noted(note, done)));
  await client.query('commit');
  note('committed');
}

/** A callback that notes where it runs, and hands on. */
function noted(note: Note, done: (...args: never[]) => void): (...args: unknown[]) => void {
  return (...args) => {
    note('callback');
    (done as (...args: unknown[]) => void)(...args);
  };
}

/** The classes of one installed version. */
export type PgModule = Pick<typeof newest, 'Client' | 'Pool' | 'Query'>;

/** The forms, with the classes of the version that is to be tried. */
export function pgSettings({ Client, Pool, Query }: PgModule): Setting<any>[] {
  /** Forms that a client and a pool have in common. */
  const queries: Form<Client | Pool>[] = [
    {
      name: 'callback',
      run: (target, note) => called((done) => target.query('select 1', noted(note, done))),
    },
    {
      name: 'callback with values',
      run: (target, note) =>
        called((done) => target.query('select $1::int', [1], noted(note, done))),
    },
    {
      name: 'callback with an error',
      run: (target, note) => called((done) => target.query('select wrong', noted(note, done))),
    },
    {
      name: 'promise',
      run: async (target, note) => {
        await target.query('select $1::int', [1]);
        note('continuation');
      },
    },
    {
      name: 'then',
      run: (target, note) => target.query('select 1').then(() => note('then')),
    },
    {
      name: 'rejected promise',
      run: (target, note) => target.query('select wrong').catch(() => note('catch')),
    },
    {
      name: 'multi-statement',
      run: async (target, note) => {
        await target.query('select 1; select 2');
        note('continuation');
      },
    },
    {
      name: 'config object',
      run: async (target, note) => {
        await target.query({ text: 'select $1::int', values: [1], rowMode: 'array' });
        note('continuation');
      },
    },
  ];

  const clientForms: Form<Client>[] = [
    {
      name: 'callback in the config',
      run: (client, note) =>
        called((callback) => {
          void client.query({ text: 'select 1', callback: noted(note, callback) } as QueryConfig);
        }),
    },
    {
      name: 'notification and notice',
      operations: 2,
      run: async (client, note) => {
        const notified = called((done) => client.once('notification', noted(note, done)));
        const noticed = called((done) => client.once('notice', noted(note, done)));
        await client.query('listen clew; notify clew');
        await client.query("do $$ begin raise notice 'x'; end $$");
        await Promise.all([notified, noticed]);
      },
    },
    {
      name: 'named prepared statement',
      operations: 2,
      run: async (client, note) => {
        const named = { name: 'clew-named', text: 'select $1::int' };
        await client.query({ ...named, values: [1] });
        note('first');
        await called((done) => client.query({ ...named, values: [2] }, noted(note, done)));
      },
    },
    {
      name: 'Query events',
      run: async (client, note) => {
        const query = client.query(new Query(ROWS));
        query.on('row', () => note('row')).on('end', () => note('end'));
        await once(query, 'end');
      },
    },
    {
      name: 'Query error event',
      run: async (client, note) => {
        const query = client.query(new Query('select wrong'));
        await called((done) => query.on('error', noted(note, done)));
      },
    },
    {
      name: 'Query with callback',
      run: (client, note) =>
        called((done) => {
          const query = new Query(ROWS);
          (query as unknown as { callback: unknown }).callback = noted(note, done);
          client.query(query);
        }),
    },
    {
      name: 'cursor read with callbacks, to the end',
      run: async (client, note) => {
        const cursor = client.query(new Cursor(ROWS));
        await called((done) => cursor.read(3, noted(note, done)));
        await called((done) => cursor.read(3, noted(note, done)));
      },
    },
    {
      name: 'cursor read with promises, closed early',
      run: async (client, note) => {
        const cursor = client.query(new Cursor(ROWS));
        await cursor.read(2);
        note('read');
        await called((done) => cursor.close(noted(note, done)));
      },
    },
    {
      name: 'cursor error',
      run: async (client, note) => {
        const cursor = client.query(new Cursor('select wrong'));
        await called((done) => cursor.read(2, noted(note, done)));
      },
    },
    {
      name: 'query stream events',
      run: async (client, note) => {
        const stream = client.query(new QueryStream(ROWS, [], { batchSize: 2 }));
        stream.on('data', () => note('data')).on('end', () => note('end'));
        await called((done) => stream.on('close', noted(note, done)));
      },
    },
    {
      name: 'query stream, for await',
      run: async (client, note) => {
        for await (const row of client.query(new QueryStream(ROWS, [], { batchSize: 2 }))) {
          note(`row ${typeof row}`);
        }
        note('after the loop');
      },
    },
    {
      name: 'query stream destroyed early',
      run: async (client, note) => {
        const stream = client.query(new QueryStream(ROWS, [], { batchSize: 2 }));
        stream.once('data', () => {
          note('data');
          stream.destroy();
        });
        await called((done) => stream.on('close', noted(note, done)));
      },
    },
    {
      name: 'query stream error',
      run: async (client, note) => {
        const stream = client.query(new QueryStream('select wrong'));
        stream.resume();
        await called((done) => stream.on('error', noted(note, done)));
      },
    },
  ];

  const unconnected: Form<Client>[] = [
    {
      name: 'query before connect',
      run: async (client, note) => {
        await called((done) => client.query('select 1', noted(note, done)));
      },
    },
  ];

  const connecting: Form<string>[] = [
    {
      name: 'connect and end with callbacks',
      operations: 1,
      run: async (url, note) => {
        const client = new Client(url);
        await called((done) => client.connect(noted(note, done)));
        await called((done) => client.query('select 1', noted(note, done)));
        await called((done) => client.end(noted(note, done)));
      },
    },
    {
      name: 'connect that fails',
      operations: 0,
      run: async (url, note) => {
        const client = new Client(url.replace(/\/postgres$/, '/nowhere'));
        const [error] = await called<unknown[]>((done) => client.connect(noted(note, done)));
        assert.ok(error instanceof Error);
      },
    },
  ];

  const poolForms: Form<Pool>[] = [
    {
      name: 'connect with a callback',
      run: (pool, note) =>
        called((done) =>
          pool.connect((_error, client, release) => {
            note('connected');
            client!.query('select 1', () => {
              note('queried');
              release();
              note('released');
              done();
            });
          }),
        ),
    },
    {
      name: 'connect with a promise',
      run: async (pool, note) => {
        const client = await pool.connect();
        note('connected');
        await called((done) => client.query('select 1', noted(note, done)));
        client.release();
      },
    },
    {
      name: 'pool events',
      run: async (pool, note) => {
        const released = called((done) => pool.once('release', noted(note, done)));
        pool.once('acquire', () => note('acquire'));
        await pool.query('select 1');
        await released;
      },
    },
    {
      name: 'transaction',
      operations: 3,
      run: async (pool, note) => {
        const client = await pool.connect();
        await transaction(client, note);
        client.release();
      },
    },
    {
      name: 'cursor on a pooled client',
      run: async (pool, note) => {
        const client = await pool.connect();
        const cursor = client.query(new Cursor(ROWS));
        await called((done) => cursor.read(9, noted(note, done)));
        client.release();
      },
    },
  ];

  async function openClient(url: string): Promise<{ target: Client; close(): Promise<void> }> {
    const client = new Client(url);
    await client.connect();
    return { target: client, close: () => client.end() };
  }

  return [
    { name: 'one client', open: openClient, forms: [...queries, ...clientForms] },
    {
      name: 'a client not connected yet',
      open: async (url) => {
        const target = new Client(url);
        const connected = target.connect();
        return {
          target,
          close: async () => {
            await connected;
            await target.end();
          },
        };
      },
      forms: unconnected,
    },
    {
      name: 'a client each',
      open: async (target) => ({ target, close: async () => undefined }),
      forms: connecting,
    },
    {
      name: 'a pool of one',
      open: async (connectionString) => {
        const target = new Pool({ connectionString, max: 1 });
        // The pool is ended before its connection is.
        const closed = new Promise((resolve) => {
          target.on('connect', (client) => client.once('end', resolve));
        });
        return { target, close: () => Promise.all([target.end(), closed]) };
      },
      forms: [...queries, ...poolForms],
    },
  ];
}

export const pgForms: FormSuite = {
  client: 'pg',
  service: 'postgresql',
  settings: pgSettings(newest),
};
