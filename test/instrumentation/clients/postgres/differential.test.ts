import { createRequire } from 'node:module';

import type postgresModule from 'postgres';
import type { Sql } from 'postgres';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { assertNoDifference, describeError, type Scenario } from '../../support/differential.ts';

const load = createRequire(import.meta.url);

describe('postgres with bad input', () => {
  let url: string;
  let instrumentation: Instrumentation;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
    instrumentation = getInstrumentations().find(
      ({ instrumentationName }) => instrumentationName === 'clew/postgres',
    )!;
  });

  const withSql = (fn: (sql: Sql) => unknown): Scenario => {
    return async () => {
      const postgres = load('postgres') as typeof postgresModule;
      const sql = postgres(url, { max: 1, onnotice: () => undefined });
      try {
        return await fn(sql);
      } finally {
        await sql.end({ timeout: 1 });
      }
    };
  };

  const scenarios: Record<string, Scenario> = {
    'an undefined value': withSql((sql) => sql`select ${undefined as never}`),
    'a tag that is called as a function': withSql((sql) => sql('select 1') as never),
    'a value with a getter that throws': withSql(
      (sql) =>
        sql`select ${
          {
            get type() {
              throw new Error('planted');
            },
          } as never
        }`,
    ),
    'an invalid text of 10 MB': withSql((sql) => sql.unsafe("select '".repeat(1.25e6))),
    'a forEach callback that throws': withSql((sql) =>
      sql`select 1 as n`.forEach(() => {
        throw new Error('planted');
      }),
    ),
    'a rejection that nobody handles': withSql(async (sql) => {
      void sql`select wrong`.execute();
      await sql`select 1`;
    }),
    'a connection that is closed in the middle of a query': withSql(async (sql) => {
      const killed = sql`select pg_terminate_backend(pg_backend_pid())`.catch(describeError);
      return [await killed, await sql`select 1 as n`];
    }),
    'an end with waiters': withSql(async (sql) => {
      const waiters = [1, 2, 3].map((n) => sql`select ${n}::int, pg_sleep(60)`.catch(() => 'gone'));
      sql`select 1`.execute().cancel();
      await sql.end({ timeout: 0 });
      return Promise.all(waiters);
    }),
    'a look at the query': withSql(async (sql) => {
      const strings = Object.freeze(Object.assign(['select ', '::int'], { raw: ['', ''] }));
      const query = sql(strings as never, 1 as never) as unknown as Promise<unknown>;
      const keys = Object.keys(query);
      await query;
      return [keys, query instanceof Promise, Object.keys(query), strings];
    }),
  };

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`changes nothing for the application: ${name}`, () =>
      assertNoDifference(scenario, instrumentation));
  }
});
