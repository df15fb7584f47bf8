import newest, { type Knex } from 'knex';

import type { Form, FormSuite, Setting } from '../../matrix/form.ts';
import { called } from '../../support/callers.ts';

/** The version that is tried; the tests of an old one put theirs in its place. */
let createKnex: typeof newest = newest;

const forms: Form<Knex>[] = [
  {
    name: 'await a builder',
    run: async (knex, note) => {
      await knex.select(knex.raw('1 as n'));
      note('continuation');
    },
  },
  {
    name: 'then of a builder',
    run: (knex, note) =>
      new Promise((resolve) => {
        void knex.select(knex.raw('1 as n')).then(() => {
          note('then');
          resolve(undefined);
        });
      }),
  },
  {
    name: 'callback of a builder',
    run: (knex, note) =>
      called((done) => {
        void knex.select(knex.raw('1 as n')).asCallback(() => {
          note('callback');
          done();
        });
      }),
  },
  {
    name: 'raw',
    run: async (knex, note) => {
      await knex.raw('select ? as n', [1]);
      note('continuation');
    },
  },
  {
    name: 'an error',
    run: (knex, note) => knex('nowhere').catch(() => note('catch')),
  },
  {
    name: 'stream events',
    run: (knex, note) =>
      called((done) => {
        knex
          .select(knex.raw('1 as n'))
          .stream()
          .on('data', () => note('data'))
          .on('end', () => {
            note('end');
            done();
          });
      }),
  },
  {
    name: 'stream, for await',
    run: async (knex, note) => {
      for await (const row of knex.select(knex.raw('1 as n')).stream()) note(`row ${typeof row}`);
      note('after the loop');
    },
  },
  {
    name: 'events of a builder',
    run: async (knex, note) => {
      await knex
        .select(knex.raw('1 as n'))
        .on('query', () => note('query'))
        .on('query-response', () => note('response'));
      note('continuation');
    },
  },
  {
    name: 'transaction',
    operations: 3,
    run: async (knex, note) => {
      await knex.transaction(async (transaction) => {
        note('begun');
        await transaction.raw('select 1');
        note('queried');
      });
      note('committed');
    },
  },
];

function over(client: string, options: Record<string, unknown>): Setting<Knex> {
  return {
    name: `over ${client}, a pool of one`,
    open: async (connection) => {
      const target = createKnex({ client, connection, pool: { min: 0, max: 1 }, ...options });
      return { target, close: () => target.destroy() };
    },
    forms,
  };
}

/** Opens what is tried from now on with `version`. */
export function useVersion(version: typeof newest = newest): void {
  createKnex = version;
}

export const knexForms: FormSuite = {
  client: 'knex',
  service: 'postgresql',
  drivers: ['pg'],
  settings: [over('pg', {})],
};
