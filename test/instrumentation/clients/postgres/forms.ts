import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';

import { randomInt } from 'node:crypto';
import { createRequire } from 'node:module';

import type postgres from 'postgres';
import type { Options, Sql } from 'postgres';

import type { Form, FormSuite } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

type Module = typeof postgres;

/** Forms that an instance has in common with a transaction and a reserved connection. */
const queries: Form<Sql>[] = [
  {
    name: 'await',
    run: async (sql, note) => {
      await sql`select ${1}::int as n`;
      note('continuation');
    },
  },
  {
    name: 'then',
    run: (sql, note) => sql`select 1`.then(() => note('then')),
  },
  {
    name: 'then, catch and finally of one query',
    run: async (sql, note) => {
      const query = sql`select 1`;
      void query.then(() => note('then'));
      void query.catch(() => note('catch'));
      await query.finally(() => note('finally'));
    },
  },
  {
    name: 'rejection',
    run: (sql, note) => sql`select wrong`.catch(() => note('catch')),
  },
  {
    name: 'execute now, await later',
    run: async (sql, note) => {
      const query = sql`select 1`.execute();
      await new Promise((resolve) => setImmediate(resolve));
      note('between');
      await query;
      note('continuation');
    },
  },
  {
    name: 'fragments and helpers',
    run: async (sql, note) => {
      const column = sql('n');
      await sql`select ${column} from (values (1), (2)) as t (n) where n in ${sql([1, 2])}
        ${sql`order by ${column}`}`;
      note('continuation');
    },
  },
  {
    name: 'unsafe with parameters',
    run: async (sql, note) => {
      await sql.unsafe('select $1::int', [1]);
      note('continuation');
    },
  },
  {
    name: 'multi-statement',
    run: async (sql, note) => {
      await sql`select 1; select 2`.simple();
      note('continuation');
    },
  },
  {
    name: 'values and raw',
    operations: 2,
    run: async (sql, note) => {
      await sql`select 1`.values();
      note('values');
      await sql`select 1`.raw();
      note('raw');
    },
  },
  {
    name: 'describe',
    run: async (sql, note) => {
      await sql`select ${1}::int`.describe();
      note('continuation');
    },
  },
  {
    name: 'forEach',
    run: async (sql, note) => {
      await sql`select generate_series(1, 5) as n`.forEach(() => note('row'));
      note('continuation');
    },
  },
  {
    name: 'cursor with a callback, to the end',
    run: async (sql, note) => {
      await sql`select generate_series(1, 5) as n`.cursor(2, () => note('rows'));
      note('continuation');
    },
  },
  {
    name: 'cursor with an async callback, closed early',
    run: async (sql, note) => {
      await sql`select generate_series(1, 5) as n`.cursor(2, async () => {
        note('rows');
        await Promise.resolve();
        note('later');
        return sql.CLOSE;
      });
      note('continuation');
    },
  },
  {
    name: 'cursor with a callback that throws',
    run: async (sql, note) => {
      const query = sql`select generate_series(1, 5) as n`.cursor(2, () => {
        note('rows');
        throw new Error('planted');
      });
      await query.catch(() => note('catch'));
    },
  },
  {
    name: 'cursor, for await',
    run: async (sql, note) => {
      for await (const rows of sql`select generate_series(1, 5) as n`.cursor(2)) {
        note(`${rows.length} rows`);
      }
      note('after the loop');
    },
  },
  {
    name: 'cursor, for await with a break',
    run: async (sql, note) => {
      for await (const rows of sql`select generate_series(1, 5) as n`.cursor(2)) {
        note(`${rows.length} rows`);
        break;
      }
      // The connection is free again when the cursor is closed.
      await new Promise((resolve) => setTimeout(resolve, 20));
      note('after the loop');
    },
  },
];

/** Those that need a connection of their own for a while. */
const owning: Form<Sql>[] = [
  {
    name: 'transaction with a savepoint',
    operations: 5,
    run: async (sql, note) => {
      await sql.begin(async (transaction) => {
        note('begun');
        await transaction`select 1`;
        note('selected');
        await transaction.savepoint(async (inner) => {
          note('saved');
          await inner`select 2`;
        });
      });
      note('committed');
    },
  },
  {
    name: 'transaction that is rolled back',
    operations: 3,
    run: async (sql, note) => {
      const failed = sql.begin(async (transaction) => {
        await transaction`select wrong`;
      });
      await failed.catch(() => note('rolled back'));
    },
  },
  {
    name: 'transaction of an array',
    operations: 4,
    run: async (sql, note) => {
      await sql.begin((transaction) => [transaction`select 1`, transaction`select 2`]);
      note('committed');
    },
  },
  {
    name: 'reserved connection',
    run: async (sql, note) => {
      const reserved = await sql.reserve();
      note('reserved');
      await reserved`select 1`;
      note('selected');
      reserved.release();
    },
  },
  {
    name: 'COPY to a stream',
    operations: 3,
    run: async (sql, note) => {
      await sql.begin(async (transaction) => {
        const query = transaction`copy (select generate_series(1, 5)) to stdout`;
        const stream: Readable = await query.readable();
        stream.on('data', () => note('data')).on('close', () => note('close'));
        await once(stream, 'close');
      });
    },
  },
  {
    name: 'COPY from a stream',
    operations: 4,
    run: async (sql, note) => {
      await sql.begin(async (transaction) => {
        await transaction`create temp table clew_copied (n int) on commit drop`;
        const stream: Writable = await transaction`copy clew_copied from stdin`.writable();
        stream.on('finish', () => note('finish')).on('close', () => note('close'));
        stream.end('1\n2\n');
        await once(stream, 'close');
      });
    },
  },
  {
    name: 'COPY from a stream that is destroyed',
    operations: 4,
    run: async (sql, note) => {
      const failed = sql.begin(async (transaction) => {
        await transaction`create temp table clew_copied (n int) on commit drop`;
        const stream: Writable = await transaction`copy clew_copied from stdin`.writable();
        stream.on('error', () => note('error')).on('close', () => note('close'));
        stream.destroy(new Error('enough'));
        await once(stream, 'close').catch(() => note('catch'));
        throw new Error('planted');
      });
      await failed.catch(() => note('rolled back'));
    },
  },
  {
    name: 'LISTEN and NOTIFY',
    operations: 3,
    run: async (sql, note) => {
      const channel = `clew${randomInt(2 ** 40)}`;
      let heard = (): void => undefined;
      const notified = called((done) => {
        heard = done;
      });
      const listening = await sql.listen(
        channel,
        () => {
          note('notification');
          heard();
        },
        () => note('listening'),
      );
      await sql.notify(channel, 'payload');
      note('notified');
      await notified;
      await listening.unlisten();
      note('silent');
    },
  },
];

const connecting: Form<Make>[] = [
  {
    name: 'first query',
    run: async (make, note) => {
      const sql = make();
      await sql`select 1`;
      note('continuation');
      await sql.end();
      note('ended');
    },
  },
  {
    name: 'connect that fails',
    run: async (make, note) => {
      const sql = make({ database: 'nowhere' });
      await sql`select 1`.catch(() => note('catch'));
      await sql.end();
    },
  },
  {
    name: 'query after the end',
    run: async (make, note) => {
      const sql = make();
      await sql.end();
      await sql`select 1`.catch(() => note('catch'));
    },
  },
  {
    name: 'query that is cancelled',
    run: async (make, note) => {
      // The connection of the cancelled query asks for nothing of its own, which `end` would reject.
      const sql = make({ fetch_types: false });
      const query = sql`select pg_sleep(60)`;
      query.cancel();
      await query.catch(() => note('catch'));
      await sql.end({ timeout: 0 });
    },
    operations: 0,
  },
];

type Make = (options?: Options<never>) => Sql;

/** The forms with a version of the client, by its alias. */
export function formsOf(name: string): FormSuite {
  // Loaded when it is instrumented, like an application would.
  const load = createRequire(import.meta.url);
  let instrument: ((exports: unknown) => void) | undefined;
  const make = (url: string, options?: object): Sql => {
    const sql = (load(name) as Module)(url, { max: 1, onnotice: () => undefined, ...options });
    instrument?.(sql);
    return sql;
  };
  return {
    client: 'postgres',
    ...(name !== 'postgres' && {
      instrument: (given) => {
        instrument = given;
      },
    }),
    service: 'postgresql',
    settings: [
      {
        name: 'one connection',
        open: async (url) => {
          const target = make(url);
          await target`select 1`;
          return { target, close: () => target.end() };
        },
        forms: [...queries, ...owning],
      },
      {
        name: 'an instance each',
        open: async (url) => ({
          target: (options?: object) => make(url, options),
          close: async () => undefined,
        }),
        forms: connecting,
      },
    ],
  };
}

export const postgresForms: FormSuite = formsOf('postgres');
