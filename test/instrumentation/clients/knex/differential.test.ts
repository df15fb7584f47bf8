import createKnex, { type Knex } from 'knex';

import { messageOf } from '../../../../src/base/errors.ts';
import { getInstrumentations } from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference } from '../../support/differential.ts';

const rejected = (promise: PromiseLike<unknown>): PromiseLike<string> =>
  promise.then(() => 'nothing', messageOf);

const SCENARIOS: Record<string, (knex: Knex) => unknown> = {
  'an error in the statement': (knex) => rejected(knex.raw('selec 1')),
  'a builder that is awaited twice': async (knex) => {
    const builder = knex.select(knex.raw('1 as n'));
    return [await builder, await builder, Reflect.ownKeys(builder).map(String).sort()];
  },
  'a callback that throws': (knex) =>
    rejected(
      knex.select(knex.raw('1 as n')).then(() => {
        throw new Error('planted');
      }),
    ),
  'a transaction that is rolled back': (knex) =>
    rejected(
      knex.transaction(async (transaction) => {
        await transaction.raw('select 1');
        throw new Error('planted');
      }),
    ),
  'a pool that is destroyed with waiters': async (knex) => {
    const transaction = await knex.transaction();
    const waiting = rejected(knex.raw('select 1'));
    const destroyed = knex.destroy();
    await transaction.rollback();
    await destroyed;
    return waiting;
  },
  'a text of ten million characters that is no SQL': async (knex) =>
    (await rejected(knex.raw('select \u0001 '.repeat(1_000_000)))).slice(-30),
  'events of a query': async (knex) => {
    const seen: string[] = [];
    await knex
      .select(knex.raw('1 as n'))
      .on('query', () => seen.push('query'))
      .on('query-response', () => seen.push('query-response'));
    return seen;
  },
};

for (const { client, service } of [
  { client: 'pg', service: 'postgresql' },
  { client: 'mysql2', service: 'mariadb' },
] as const) {
  describe(`knex over ${client} with the instrumentation and without it`, () => {
    let url: string;

    before(async function () {
      this.timeout(40_000);
      url = await requireService(this, service);
    });

    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      it(`shows an application the same: ${title}`, async () => {
        const instrumentation = getInstrumentations().find(
          ({ instrumentationName }) => instrumentationName === 'clew/knex',
        )!;
        await assertNoDifference(async () => {
          const knex = createKnex({ client, connection: url, pool: { min: 0, max: 1 } });
          try {
            return await scenario(knex);
          } finally {
            await knex.destroy();
          }
        }, instrumentation);
      });
    }
  });
}
