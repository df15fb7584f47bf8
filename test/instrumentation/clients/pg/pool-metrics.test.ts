import assert from 'node:assert/strict';

import type { Histogram } from '@opentelemetry/sdk-metrics';
import { Pool, type PoolClient } from 'pg';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import {
  registerMeasurements,
  type Measure,
  type Measurement,
} from '../../support/measurements.ts';
import { registerTelemetry } from '../../support/telemetry.ts';

const COUNT = 'db.client.connection.count';
const NAME = 'db.client.connection.pool.name';

describe('pg pool metrics', () => {
  let url: string;
  let host: string;
  let instrumentation: Instrumentation;
  let measure: Measure;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
    host = new URL(url).host;
  });

  beforeEach(() => {
    measure = registerMeasurements();
    [instrumentation] = getInstrumentations() as [Instrumentation];
    instrumentation.enable();
  });

  afterEach(() => instrumentation.disable());

  const stateOf = (points: Measurement[], name: string, state: string): unknown =>
    points.find(
      ({ attributes }) =>
        attributes[NAME] === name && attributes['db.client.connection.state'] === state,
    )?.value;

  it('counts the connections of each pool on their own', async () => {
    const one = new Pool({ connectionString: url, max: 1 });
    const two = new Pool({ connectionString: url, max: 2 });
    const clients = [await one.connect(), await two.connect(), await two.connect()];
    const points = await measure(COUNT);
    assert.equal(stateOf(points, `${host}/postgres`, 'used'), 1);
    assert.equal(stateOf(points, `${host}/postgres#2`, 'used'), 2);
    for (const client of clients) client.release();
    assert.equal(stateOf(await measure(COUNT), `${host}/postgres#2`, 'idle'), 2);
    await Promise.all([one.end(), two.end()]);
  });

  it('shows who waits, and how long was waited, opened and used', async () => {
    const pool = new Pool({ connectionString: url, max: 1 });
    const client = await pool.connect();
    const waiting = pool.query('select 1');
    const [pending] = await measure('db.client.connection.pending_requests');
    assert.equal(pending?.value, 1);
    client.release();
    await waiting;
    for (const [metric, count] of [
      ['wait_time', 2],
      ['create_time', 1],
      ['use_time', 2],
    ] as const) {
      const [point] = await measure(`db.client.connection.${metric}`);
      assert.deepEqual(point?.attributes, { [NAME]: `${host}/postgres` });
      assert.equal(histogramOf(point).count, count, metric);
    }
    const [max] = await measure('db.client.connection.max');
    assert.equal(max?.value, 1);
    await pool.end();
  });

  it('counts those who gave up waiting', async () => {
    const pool = new Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 5 });
    // The limit is for waiters; connecting takes as long as it takes.
    const client = await connectPatiently(pool);
    const count = async (): Promise<number> => {
      const [timeouts] = await measure('db.client.connection.timeouts');
      assert.deepEqual(timeouts?.attributes ?? { [NAME]: `${host}/postgres` }, {
        [NAME]: `${host}/postgres`,
      });
      return Number(timeouts?.value ?? 0);
    };
    const before = await count();
    await assert.rejects(pool.query('select 1'), /timeout exceeded/);
    assert.equal((await count()) - before, 1);
    await assert.rejects(pool.connect(), /timeout exceeded/);
    assert.equal((await count()) - before, 2);
    await called<[unknown]>((done) => pool.connect((error) => done(error)));
    assert.equal((await count()) - before, 3);
    client.release();
    await pool.end();
  });

  it('measures the duration of a query as its span does', async () => {
    const telemetry = registerTelemetry();
    const pool = new Pool({ connectionString: url, max: 1 });
    await pool.query('select pg_sleep(0.01)');
    const { duration } = telemetry.onlySpan();
    const [point] = await measure('db.client.operation.duration');
    assert.equal(histogramOf(point).sum, duration[0] + duration[1] / 1e9);
    assert.equal(point?.attributes['db.system.name'], 'postgresql');
    assert.equal(point?.attributes['db.query.text'], undefined);
    await pool.end();
  });

  it('measures the duration of a query where no span is recorded', async () => {
    const pool = new Pool({ connectionString: url, max: 1 });
    await assert.rejects(pool.query('select wrong'));
    const [point] = await measure('db.client.operation.duration');
    assert.equal(histogramOf(point).count, 1);
    assert.equal(point?.attributes['error.type'], '42703');
    await pool.end();
  });
});

function histogramOf(point: Measurement | undefined): Histogram {
  assert.ok(point);
  return point.value as Histogram;
}

async function connectPatiently(pool: Pool): Promise<PoolClient> {
  const { connectionTimeoutMillis = 0 } = pool.options;
  pool.options.connectionTimeoutMillis = 0;
  const client = await pool.connect();
  pool.options.connectionTimeoutMillis = connectionTimeoutMillis;
  return client;
}
