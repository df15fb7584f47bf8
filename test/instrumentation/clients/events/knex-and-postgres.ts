import type { Knex } from 'knex';
import type postgres from 'postgres';

import { soon, type EventScenario, type Stage } from './scenario.ts';

const KNEX = ['start', 'query', 'query-response', 'query-error'];

const useKnex = async ({ listen, hears, as }: Stage, knex: Knex): Promise<void> => {
  listen(knex as never, KNEX);
  try {
    await Promise.all(['a', 'b', 'c'].map((name) => as(name, async () => knex.raw('select 1'))));
    await as('d', async () => knex.raw('select wrong').catch(() => undefined));
    await as('e', () =>
      knex.transaction(async (transaction) => {
        transaction.on('query', hears('query of a transaction'));
        await transaction.raw('select 1');
      }),
    );
    await as('f', async () => {
      for await (const _ of knex.select(knex.raw('1')).stream()) hears('a row')();
    });
    const built = knex.select(knex.raw('1'));
    for (const event of ['query', 'query-response', 'end']) {
      built.on(event, hears(`${event} of a builder`));
    }
    await as('g', async () => built);
  } finally {
    await knex.destroy();
  }
};

export const knexAndPostgres: EventScenario[] = [
  {
    client: 'knex',
    name: 'a pool of two, over pg',
    service: 'postgresql',
    async run(stage) {
      const knex = stage.require('knex') as typeof Knex & ((options: object) => Knex);
      const pool = { min: 0, max: 2 };
      await useKnex(stage, knex({ client: 'pg', connection: stage.url, pool }));
    },
  },
  {
    client: 'knex',
    name: 'a pool of one, over mysql2',
    service: 'mariadb',
    async run(stage) {
      const knex = stage.require('knex') as (options: object) => Knex;
      const pool = { min: 0, max: 1 };
      await useKnex(stage, knex({ client: 'mysql2', connection: stage.url, pool }));
    },
  },
  {
    client: 'postgres',
    name: 'options that are listeners, and one caller',
    service: 'postgresql',
    async run({ url, require, hears, as }) {
      const sql = (require('postgres') as typeof postgres)(url, {
        max: 1,
        fetch_types: false,
        onnotice: hears('onnotice'),
        onparameter: hears('onparameter'),
        onclose: hears('onclose'),
        debug: hears('debug'),
      });
      await as('a', async () => {
        await sql`select 1`;
        await sql.unsafe("do $$ begin raise notice 'x'; end $$");
        await sql`set application_name to clew`;
        await sql.end();
      });
      await soon();
    },
  },
  {
    client: 'postgres',
    name: 'options that are listeners, of a connection that another caller opened',
    service: 'postgresql',
    callers: { onparameter: 'ac', onnotice: 'b', onclose: 'd' },
    async run({ url, require, hears, as }) {
      const sql = (require('postgres') as typeof postgres)(url, {
        max: 1,
        fetch_types: false,
        onnotice: hears('onnotice'),
        onparameter: hears('onparameter'),
        onclose: hears('onclose'),
        debug: hears('debug'),
      });
      await as('a', async () => sql`select 1`);
      await as('b', async () => sql.unsafe("do $$ begin raise notice 'x'; end $$"));
      await as('c', async () => sql`set application_name to clew`);
      await as('d', () => sql.end());
      await soon();
    },
  },
  {
    client: 'postgres',
    name: 'channels, and what a query is given',
    service: 'postgresql',
    callers: {
      'a column': 'abc',
      'a value': 'abcde',
      'a row': 'abcde',
      'a serializer': 'b',
      'a parser': 'bcde',
      forEach: 'c',
      cursor: 'd',
    },
    async run({ url, require, hears, as }) {
      const sql = (require('postgres') as typeof postgres)(url, {
        max: 1,
        onnotice: () => undefined,
        types: {
          n: {
            to: 23,
            from: [23],
            parse: hears('a parser') as never,
            serialize: (value: unknown) => (hears('a serializer')(), String(value)),
          },
        },
        transform: {
          column: (name: string) => (hears('a column')(), name),
          value: { from: (value: unknown) => (hears('a value')(), value) },
          row: { from: (row: unknown) => (hears('a row')(), row) },
        },
      });
      const listening = await sql.listen('clew_events', hears('notify'), hears('onlisten'));
      await as('a', () => sql.notify('clew_events', 'x'));
      await as('b', async () => sql`select ${1}::int as n`);
      await as('c', async () => sql`select 1 as n`.forEach(hears('forEach')));
      await as('d', async () => sql`select 1 as n`.cursor(hears('cursor')));
      await as('e', async () => {
        for await (const _ of sql`select 1 as n`.cursor()) hears('a row of a cursor')();
      });
      await soon();
      await listening.unlisten();
      await sql.end();
    },
  },
];
