import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import { SpanKind } from '@opentelemetry/api';
import postgresModule, { type Options, type Sql } from 'postgres';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { asCaller, caller } from '../../support/callers.ts';
import { registerMeasurements } from '../../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

const load = createRequire(import.meta.url);

describe('postgres', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let sql: Sql;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'postgresql');
  });

  const enable = (config: ClientConfig = {}, options: Options<never> = {}): void => {
    telemetry = registerTelemetry();
    instrumentation = getInstrumentations({ postgres: config }).find(
      ({ instrumentationName }) => instrumentationName === 'clew/postgres',
    )!;
    instrumentation.enable();
    sql = (load('postgres') as typeof postgresModule)(url, { max: 1, ...options });
  };

  afterEach(async () => {
    await sql.end();
    instrumentation.disable();
  });

  it('records a query as one CLIENT span with the attributes of its instance', async () => {
    enable();
    await sql`select ${1}::int as n`;
    const span = telemetry.onlySpan();
    const { hostname, port } = new URL(url);
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.equal(typeof span.attributes['clew.pool.wait.ms'], 'number');
    delete span.attributes['clew.pool.wait.ms'];
    assert.deepEqual(span.attributes, {
      'db.system.name': 'postgresql',
      'db.namespace': 'postgres',
      'db.query.summary': 'select',
      'db.query.text': 'select $1::int as n',
      'server.address': hostname,
      'server.port': Number(port),
    });
  });

  it('shows the statement that helpers and fragments made', async () => {
    enable();
    await sql`create temp table clew_helped (id int, secret text)`;
    telemetry.reset();
    const row = { id: 1, secret: 'planted' };
    await sql`insert into clew_helped ${sql(row)} ${sql`returning ${sql('id')}`}`;
    const { name, attributes } = telemetry.onlySpan();
    assert.equal(name, 'insert clew_helped');
    assert.equal(
      attributes['db.query.text'],
      'insert into clew_helped ("id","secret")values($1,$2) returning "id"',
    );
  });

  it('records how a query failed without the values it was given', async () => {
    enable();
    await assert.rejects(sql.unsafe("select 'secret-value'::int"));
    const { attributes, status, events } = telemetry.onlySpan();
    assert.equal(attributes['error.type'], '22P02');
    assert.equal(attributes['db.response.status_code'], '22P02');
    assert.doesNotMatch(JSON.stringify([attributes, status, events]), /secret/);
  });

  it('ends the span of an iterated cursor with its last row', async () => {
    enable();
    for await (const rows of sql`select generate_series(1, 3)`.cursor(1)) {
      assert.equal(rows.length, 1);
      assert.equal(telemetry.spans().length, 0);
    }
    assert.equal(telemetry.spans().length, 1);
  });

  it('ends the span of a COPY that is read with its stream', async () => {
    enable();
    const query = sql`copy (select generate_series(1, 3)) to stdout`;
    const stream = await query.readable();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(telemetry.spans().length, 0);
    stream.resume();
    await once(stream, 'close');
    assert.equal(telemetry.spans().length, 1);
  });

  it('runs the listeners of an instance in the context it was made in', async () => {
    const places: string[] = [];
    enable();
    const own = await asCaller('maker', async () => {
      const options = { max: 1, onnotice: () => void places.push(caller()) };
      return [(load('postgres') as typeof postgresModule)(url, options)];
    });
    await asCaller('other', async () => {
      await own[0]!`do $$ begin raise notice 'hello'; end $$`;
    });
    await own[0]!.end();
    assert.deepEqual(places, ['maker']);
  });

  it('appends the trace context to statements that are not prepared', async () => {
    enable({ sqlCommenter: true });
    const last = 'select query from pg_stat_activity where pid = pg_backend_pid()';
    const [row] = await sql.unsafe<{ query: string }[]>(last);
    const { traceId, spanId } = telemetry.onlySpan().spanContext();
    assert.equal(row?.query, `${last} /*traceparent='00-${traceId}-${spanId}-01'*/`);
    const [prepared] = await sql<{ query: string }[]>`select query from pg_stat_activity
      where pid = pg_backend_pid()`;
    assert.doesNotMatch(prepared?.query ?? '', /traceparent/);
  });

  it('records rows and parameters where the configuration asks for them', async () => {
    enable({ returnedRows: true, parameters: [1] });
    await sql`select generate_series(1, 3), ${'secret'}::text, ${'shown'}::text`;
    const { attributes } = telemetry.onlySpan();
    assert.equal(attributes['db.response.returned_rows'], 3);
    assert.equal(attributes['db.query.parameter.1'], 'shown');
    assert.doesNotMatch(JSON.stringify(attributes), /secret/);
  });

  it('shows who waits and how many connections there may be', async () => {
    const measure = registerMeasurements();
    enable();
    await sql`select 1`;
    const [max] = await measure('db.client.connection.max');
    const [pending] = await measure('db.client.connection.pending_requests');
    assert.equal(max?.value, 1);
    assert.equal(pending?.value, 0);
    assert.deepEqual(max?.attributes, {
      'db.client.connection.pool.name': `${new URL(url).host}/postgres`,
    });
  });

  it('instruments a module and an instance that are given by hand', async () => {
    enable();
    const own = postgresModule(url, { max: 1 });
    const undo = instrumentation.instrument(postgresModule);
    instrumentation.instrument(own);
    await own`select 1`;
    assert.equal(telemetry.onlySpan().attributes['server.port'], Number(new URL(url).port));
    undo();
    await own`select 1`;
    assert.equal(telemetry.spans().length, 1);
    await own.end();
  });

  it('leaves nothing behind when it is disabled', async () => {
    enable();
    await sql`select 1`;
    const { constructor } = sql`select 1` as unknown as { constructor: { prototype: object } };
    instrumentation.disable();
    assert.equal('string' in constructor.prototype, false);
    await sql`select 1`;
    assert.equal(telemetry.spans().length, 1);
  });
});
