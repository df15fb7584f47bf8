import assert from 'node:assert/strict';

import createKnex, { type Knex } from 'knex';

import { describeSql, type SqlDialect } from '../../../../src/instrumentation/sql/sql-text.ts';

/* knex leaves no summary for its drivers: their text has to tell what the builder knows. */

const rows = (count: number): object[] => Array.from({ length: count }, (_, a) => ({ a }));

/** By the summary, with its quotes left out; where SQLite says it otherwise that is the second. */
const BUILT: [build: (knex: Knex) => { toSQL(): unknown }, summary: string, sqlite?: string][] = [
  [(knex) => knex('users').where('id', 1), 'select users'],
  [(knex) => knex('users as u').first('u.id'), 'select users'],
  [(knex) => knex.withSchema('app').from('users').count(), 'select app.users'],
  [
    (knex) => knex('users').join('orders', 'a', 'b').leftJoin('items as i', 'c', 'd'),
    'select users orders items',
  ],
  [(knex) => knex.from(knex('users').where('a', 'x').as('t')), 'select select users'],
  [(knex) => knex('users').whereIn('a', knex('orders')), 'select users select orders'],
  [(knex) => knex.with('big', knex('orders')).from('big'), 'select orders select'],
  [(knex) => knex('a').union(knex('b')), 'select a select b'],
  [(knex) => knex('users').insert({ a: 1 }), 'insert users'],
  [(knex) => knex('users').insert(rows(2)), 'insert users', 'insert users select'],
  [(knex) => knex('users').insert(rows(3000)), 'insert users', 'insert users select'],
  [(knex) => knex('users').insert({ id: 1 }).onConflict('id').merge(), 'insert users'],
  [(knex) => knex('users').insert({ id: 1 }).onConflict('id').ignore(), 'insert users'],
  [(knex) => knex('users').insert(knex('old')), 'insert users select old'],
  [(knex) => knex('users').update({ a: 'x' }), 'update users'],
  [(knex) => knex('users').increment('a'), 'update users'],
  [(knex) => knex('users').where('a', 'x').del(), 'delete users'],
  [(knex) => knex('users').truncate(), 'truncate users', 'delete users'],
  [(knex) => knex.raw('select ?? from ?? where a = ?', ['a', 'users', 1]), 'select users'],
  [(knex) => knex.schema.createTable('users', (table) => table.text('a')), 'create table users'],
  [(knex) => knex.schema.alterTable('users', (table) => table.text('b')), 'alter table users'],
  [(knex) => knex.schema.dropTableIfExists('users'), 'drop table users'],
];

for (const [client, dialect] of [
  ['pg', 'postgresql'],
  ['mysql2', 'mysql'],
  ['better-sqlite3', 'sqlite'],
] as const) {
  describe(`what knex builds for ${client}`, () => {
    it('is summarised from its text with the operation and every table', () => {
      const knex = createKnex({ client, useNullAsDefault: true });
      for (const [build, summary, sqlite = summary] of BUILT) {
        const [text = ''] = textsOf(build(knex), knex);
        assert.equal(summaryOf(text, dialect), dialect === 'sqlite' ? sqlite : summary, text);
      }
    });
  });
}

/** What the driver is given. */
function textsOf(built: { toSQL(): unknown }, knex: Knex): string[] {
  const client = knex.client as { positionBindings(sql: string): string };
  return [built.toSQL()].flat().map((one) => client.positionBindings((one as { sql: string }).sql));
}

function summaryOf(text: string, dialect: SqlDialect): string | undefined {
  return describeSql(text, dialect, { parameterised: true }).summary?.replaceAll(/["`]/g, '');
}
