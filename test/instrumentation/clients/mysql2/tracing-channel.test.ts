import assert from 'node:assert/strict';
import { tracingChannel, type TracingChannelSubscribers } from 'node:diagnostics_channel';

import * as mysql2 from 'mysql2';

import { getInstrumentations } from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { registerTelemetry } from '../../support/telemetry.ts';

const CHANNELS = ['query', 'execute', 'connect', 'pool:connect'].map((name) =>
  tracingChannel(`mysql2:${name}`),
);

describe('mysql2 whose tracing channels have a subscriber', () => {
  let url: string;
  const heard: string[] = [];
  const note = (event: string) => (): void => void heard.push(event);
  const subscriber: TracingChannelSubscribers<object> = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  };
  const [instrumentation] = getInstrumentations().filter(
    ({ instrumentationName }) => instrumentationName === 'clew/mysql2',
  );

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'mariadb');
    for (const channel of CHANNELS) channel.subscribe(subscriber);
  });

  beforeEach(() => {
    heard.length = 0;
    instrumentation?.enable();
  });

  afterEach(() => instrumentation?.disable());

  after(() => {
    for (const channel of CHANNELS) channel.unsubscribe(subscriber);
  });

  const statement = 'select ? as n';
  const uses: Record<string, (pool: mysql2.Pool) => Promise<unknown>> = {
    'a query with a callback': (pool) => called((done) => pool.query(statement, [1], done)),
    'a query with promises': (pool) => pool.promise().query(statement, [1]),
    'a prepared statement': (pool) => called((done) => pool.execute(statement, [1], done)),
    'a query with events': (pool) =>
      called((done) => pool.query(statement, [1]).on('end', () => done())),
    'a stream': async (pool) => {
      for await (const row of pool.query(statement, [1]).stream()) assert.ok(row);
    },
  };

  it('has a text on the channel that holds values, which the span has not', async () => {
    const telemetry = registerTelemetry();
    const texts: unknown[] = [];
    const start = (message: unknown): void =>
      void texts.push((message as { query: unknown }).query);
    const channel = tracingChannel('mysql2:query');
    channel.start.subscribe(start);
    const pool = mysql2.createPool(url);
    await pool.promise().query(statement, ['planted']);
    await pool.promise().end();
    channel.start.unsubscribe(start);
    assert.deepEqual(texts, ["select 'planted' as n"]);
    assert.doesNotMatch(JSON.stringify(telemetry.onlySpan().attributes), /planted/);
  });

  for (const [name, use] of Object.entries(uses)) {
    it(`has one span for ${name}`, async () => {
      const telemetry = registerTelemetry();
      const pool = mysql2.createPool(url);
      await use(pool);
      await pool.promise().end();
      assert.ok(heard.includes('start'));
      assert.equal(telemetry.onlySpan().attributes['db.query.text'], statement);
    });
  }
});
