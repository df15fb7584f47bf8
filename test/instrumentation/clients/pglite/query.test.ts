import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';

import type { PGlite } from '@electric-sql/pglite';
import type { PGliteWithLive } from '@electric-sql/pglite/live';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import { context, createContextKey, SpanKind } from '@opentelemetry/api';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { assertNoDifference, type Scenario } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

describe('pglite', () => {
  let db: PGlite & PGliteWithLive;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  before(async function () {
    this.timeout(120_000);
    const load = createRequire(import.meta.url);
    const module = load('@electric-sql/pglite') as { PGlite: typeof PGlite };
    const { live } = load(
      '@electric-sql/pglite/live',
    ) as typeof import('@electric-sql/pglite/live');
    db = await module.PGlite.create({ loadDataDir: await dataDir(), extensions: { live } });
  });

  after(() => db.close());

  const enable = (config: ClientConfig = {}): void => {
    telemetry = registerTelemetry();
    instrumentation = getInstrumentations({ pglite: config }).find(
      ({ instrumentationName }) => instrumentationName === 'clew/pglite',
    )!;
    instrumentation.enable();
  };

  afterEach(() => instrumentation.disable());

  it('records a query as one INTERNAL span', async () => {
    enable();
    await db.query('select $1::int as n', [1]);
    const { kind, name, attributes } = telemetry.onlySpan();
    assert.equal(kind, SpanKind.INTERNAL);
    assert.equal(name, 'select');
    assert.deepEqual(attributes, {
      'db.system.name': 'postgresql',
      'db.namespace': 'postgres',
      'db.query.summary': 'select',
      'db.query.text': 'select $1::int as n',
    });
  });

  it('runs the callbacks of live queries in the context of the change, as without us', async () => {
    const key = createContextKey('work');
    const store = new AsyncLocalStorage<string>();
    const within = <Result>(name: string, run: () => Result): Result =>
      context.with(context.active().setValue(key, name), () => store.run(name, run));
    const seenBy = async (): Promise<string[]> => {
      const seen: string[] = [];
      const note = (what: string) => (): void => {
        seen.push(`${what}: ${store.getStore()}, ${String(context.active().getValue(key))}`);
      };
      const text = 'select * from live_test';
      await db.exec('create table live_test (id int primary key)');
      const query = await within('asker', () => db.live.query(text, [], note('query')));
      const changes = await within('asker', () => db.live.changes(text, [], 'id', note('changes')));
      within('other', () => query.subscribe(note('subscribed')));
      await within('writer', () => db.query('insert into live_test values (1)'));
      while (seen.length < 5) await setTimeout(5);
      await query.unsubscribe();
      await changes.unsubscribe();
      await db.exec('drop table live_test');
      return seen.toSorted();
    };
    telemetry = registerTelemetry();
    const bare = await seenBy();
    assert.ok(bare.includes('query: writer, writer'), String(bare));
    enable();
    assert.deepEqual(await seenBy(), bare);
  });

  it('records what a transaction consists of, in its order', async () => {
    enable();
    await db.transaction(async (transaction) => {
      await transaction.sql`select ${1}::int`;
    });
    assert.deepEqual(
      telemetry.spans().map(({ attributes }) => attributes['db.query.text']),
      ['BEGIN', 'select $1::int', 'COMMIT'],
    );
  });

  it('records how a query failed without the values it was given', async () => {
    enable();
    await assert.rejects(db.query("select 'secret-value'::int"));
    const { attributes, status, events } = telemetry.onlySpan();
    assert.equal(attributes['db.response.status_code'], '22P02');
    assert.doesNotMatch(JSON.stringify([attributes, status, events]), /secret/);
  });

  it('counts rows where the configuration asks for them', async () => {
    enable({ returnedRows: true });
    await db.exec('select generate_series(1, 3); select 1');
    assert.equal(telemetry.onlySpan().attributes['db.response.returned_rows'], 4);
  });

  const scenarios: Record<string, Scenario> = {
    'a value that cannot be serialised': () => db.query('select $1::int', [Symbol('s')]),
    'an invalid text': () => db.exec("select '".repeat(1e5)),
    'a transaction without a callback': () => db.transaction(undefined as never),
    'a callback that throws': () =>
      db.transaction(() => {
        throw new Error('planted');
      }),
    'a transaction that is used after its end': async () => {
      const given = await db.transaction(async (transaction) => [transaction] as const);
      return given[0].query('select 1');
    },
    'a rejection that nobody handles': async () => {
      void db.query('select wrong');
      await db.query('select 1');
    },
    'a listener that is removed': async () => {
      const heard: unknown[] = [];
      const listener = (payload: string): void => void heard.push(payload);
      await db.listen('clew', listener);
      db.onNotification(listener);
      await db.query("select pg_notify('clew', '1')");
      await db.unlisten('clew', listener);
      db.offNotification(listener);
      await db.query("select pg_notify('clew', '2')");
      return heard;
    },
  };

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`changes nothing for the application: ${name}`, async () => {
      enable();
      instrumentation.disable();
      await assertNoDifference(scenario, instrumentation);
    });
  }
});
