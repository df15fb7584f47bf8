import assert from 'node:assert/strict';

import { context, createContextKey } from '@opentelemetry/api';
import { Client, Pool } from 'pg';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { registerTelemetry } from '../../support/telemetry.ts';

const KEY = createContextKey('caller');

describe('error listeners of pg', () => {
  let url: string;
  let instrumentation: Instrumentation;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
  });

  beforeEach(() => {
    registerTelemetry();
    [instrumentation] = getInstrumentations() as [Instrumentation];
    instrumentation.enable();
  });

  afterEach(() => instrumentation.disable());

  const inContext = <Result>(name: string, fn: () => Result): Result =>
    context.with(context.active().setValue(KEY, name), fn);

  it('run in the context they were registered in when the server ends a connection', async () => {
    const client = new Client(url);
    await inContext('connecting', () => client.connect());
    const seen: unknown[] = [];
    inContext('registering', () =>
      client.on('error', () => seen.push(context.active().getValue(KEY))),
    );
    const killed = called((done) => client.on('end', done));
    const other = new Client(url);
    await other.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await inContext('another', () =>
      other.query('select pg_terminate_backend($1)', [rows[0]!.pid]),
    );
    await killed;
    assert.ok(seen.length > 0);
    assert.deepEqual(new Set(seen), new Set(['registering']));
    await other.end();
  });

  it("of a pool's own do not pile up on its clients", async () => {
    const pool = new Pool({ connectionString: url, max: 1 });
    for (let index = 0; index < 5; index += 1) {
      await inContext(`caller ${index}`, () => pool.query('select 1'));
    }
    const client = await inContext('last', () => pool.connect());
    assert.equal(client.listenerCount('error'), 0);
    client.release();
    assert.equal(client.listenerCount('error'), 1);
    await pool.end();
  });
});
