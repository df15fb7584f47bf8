import assert from 'node:assert/strict';

import type { Knex } from 'knex';

import { messageOf } from '../../../../src/base/errors.ts';
import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference } from '../../support/differential.ts';
import { createOver, DRIVERS } from './forms.ts';

const rejected = (promise: PromiseLike<unknown>): PromiseLike<string> =>
  // mariadb tells the number of the connection.
  promise.then(
    () => 'nothing',
    (error) => messageOf(error).replace(/conn:\d+/, 'conn'),
  );

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

/** What is instrumented under knex, too: its pool and the driver. */
function instrumentationsOver(client: string): Pick<Instrumentation, 'enable' | 'disable'> {
  const wanted = ['knex', 'tarn', client].map((name) => `clew/${name}`);
  const all = getInstrumentations().filter(({ instrumentationName }) =>
    wanted.includes(instrumentationName),
  );
  return {
    enable: () => all.forEach((one) => one.enable()),
    disable: () => all.forEach((one) => one.disable()),
  };
}

for (const driver of DRIVERS) {
  describe(`knex over ${driver.client} with the instrumentation and without it`, () => {
    let url = '';

    before(async function () {
      this.timeout(120_000);
      if (driver.service) url = await requireService(this, driver.service);
    });

    const compare = (scenario: (knex: Knex) => unknown): Promise<number> =>
      assertNoDifference(async () => {
        const knex = createOver(driver, url);
        try {
          return await scenario(knex);
        } finally {
          await knex.destroy();
        }
      }, instrumentationsOver(driver.client));

    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      it(`shows an application the same: ${title}`, () => compare(scenario));
    }

    it('makes spans meanwhile', async () => {
      assert.equal(await compare((knex) => knex.select(knex.raw('1 as n'))), 1);
    });
  });
}
