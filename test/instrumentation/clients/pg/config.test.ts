import assert from 'node:assert/strict';

import { SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { Client, Pool, Query } from 'pg';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { asCaller } from '../../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

describe('pg configuration', () => {
  let client: Client;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  before(async function () {
    this.timeout(120_000);
    client = new Client(await requireService(this, 'postgresql'));
    await client.connect();
  });

  after(() => client?.end());

  const configure = (config: ClientConfig): void => {
    telemetry = registerTelemetry();
    [instrumentation] = getInstrumentations({ pg: config }) as [Instrumentation];
    instrumentation.enable();
  };

  afterEach(() => instrumentation.disable());

  const attributes = (): Attributes => telemetry.onlySpan().attributes;

  it('records nothing outside a span with requireParent', async () => {
    configure({ requireParent: true });
    await client.query('select 1');
    assert.equal(telemetry.spans().length, 0);
    await asCaller('a', () => client.query('select 1'), { withSpan: true });
    assert.equal(telemetry.spans().length, 2);
  });

  it('records nothing that ignore picks', async () => {
    configure({ ignore: ({ text }) => text === 'select 1' });
    await client.query('select 1');
    await client.query('select $1::int', [2]);
    assert.equal(attributes()['db.query.text'], 'select $1::int');
  });

  it('cuts a text at maxTextLength', async () => {
    configure({ maxTextLength: 8 });
    await client.query('select $1::int', [1]);
    assert.equal(attributes()['db.query.text'], 'select $');
  });

  it('leaves the text away at a maxTextLength of 0', async () => {
    configure({ maxTextLength: 0 });
    await client.query('select $1::int', [1]);
    assert.equal(attributes()['db.query.text'], undefined);
  });

  it('shows what sanitizeText makes of a text without values', async () => {
    configure({ sanitizeText: (text) => text.toUpperCase() });
    await client.query('select 1');
    assert.equal(attributes()['db.query.text'], 'SELECT 1');
  });

  it('names the span as spanName does', async () => {
    configure({ spanName: (_operation, proposed) => `mine, not ${proposed}` });
    await client.query('select 1');
    assert.match(telemetry.onlySpan().name, /^mine, not /);
  });

  it('records only the parameters that are allowed', async () => {
    configure({ parameters: [1] });
    await client.query('select $1::text, $2::text', ['secret', 'shown']);
    assert.equal(attributes()['db.query.parameter.1'], 'shown');
    assert.doesNotMatch(JSON.stringify(attributes()), /secret/);
  });

  it('records the number of rows with returnedRows', async () => {
    configure({ returnedRows: true });
    await client.query('select generate_series(1, 3); select 1');
    assert.equal(attributes()['db.response.returned_rows'], 4);
  });

  it('adds the old names with legacyAttributes', async () => {
    configure({ legacyAttributes: true });
    await client.query('select $1::int', [1]);
    assert.equal(attributes()['db.system'], 'postgresql');
    assert.equal(attributes()['db.statement'], 'select $1::int');
    assert.equal(attributes()['db.name'], attributes()['db.namespace']);
  });

  it('calls the hooks with the span, and survives what they throw', async () => {
    configure({
      requestHook: (span) => {
        span.setAttribute('asked', true);
        throw new Error('planted');
      },
      responseHook: (span, { result }) => {
        span.setAttribute('rows', (result as { rowCount: number }).rowCount);
      },
    });
    await client.query('select 1');
    assert.equal(attributes()['asked'], true);
    assert.equal(attributes()['rows'], 1);
  });

  describe('with acquireSpans', () => {
    const waits = (): ReadableSpan[] =>
      telemetry.spans().filter(({ name }) => name.startsWith('acquire'));

    it('names a wait after where the pool connects to, from the first on and when it fails', async () => {
      configure({ acquireSpans: true });
      const { host, port, database } = client;
      const pool = new Pool({ host, port, database, user: client.user, max: 1 });
      const held = await pool.connect();
      held.release();
      await pool.query('select 1');
      await pool.end();
      const name = `acquire ${host}:${port}/${database}`;
      assert.deepEqual(
        waits().map((span) => span.name),
        [name, name],
      );
      telemetry.reset();
      const closed = new Pool({ host: '127.0.0.1', port: 1, database: 'none' });
      for (let count = 0; count < 2; count++) await assert.rejects(closed.connect());
      await closed.end();
      assert.deepEqual(
        waits().map((span) => [span.name, span.attributes['error.type'], span.status.code]),
        [1, 2].map(() => ['acquire 127.0.0.1:1/none', 'ECONNREFUSED', SpanStatusCode.ERROR]),
      );
    });

    it('has each of three waits in the trace of its caller, as long as it took', async () => {
      configure({ acquireSpans: true, requireParent: true });
      const { host, port, database, user } = client;
      const pool = new Pool({ host, port, database, user, max: 1 });
      (await pool.connect()).release();
      assert.deepEqual(waits(), []);
      await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          asCaller(name, () => pool.query('select pg_sleep(0.05)'), { withSpan: true }),
        ),
      );
      await pool.end();
      const durations: number[] = [];
      for (const name of ['a', 'b', 'c']) {
        const parent = telemetry.spans().find((span) => span.name === `caller ${name}`)!;
        const own = waits().filter(
          (span) => span.parentSpanContext?.spanId === parent.spanContext().spanId,
        );
        assert.equal(own.length, 1, name);
        durations.push(hrTimeToMilliseconds(own[0]!.duration));
        const early =
          hrTimeToMilliseconds(parent.startTime) - hrTimeToMilliseconds(own[0]!.startTime);
        assert.ok(early < 5, `${early} ms before its parent`);
      }
      assert.ok(durations[1]! > 40, durations.join());
      assert.ok(durations[2]! > 90, durations.join());
    });

    it('lets a tracer that throws cost the span, and not the connection', async () => {
      configure({ acquireSpans: true });
      trace.disable();
      trace.setGlobalTracerProvider({
        getTracer: () => ({
          startSpan: () => {
            throw new Error('planted');
          },
          startActiveSpan: () => undefined as never,
        }),
      });
      const { host, port, database, user } = client;
      const pool = new Pool({ host, port, database, user, max: 1 });
      const { rows } = await pool.query<{ one: number }>('select 1 as one');
      assert.deepEqual(rows, [{ one: 1 }]);
      await pool.end();
    });
  });

  describe('with sqlCommenter', () => {
    const LAST = 'select query from pg_stat_activity where pid = pg_backend_pid()';

    it('appends the trace context of the span that is recorded', async () => {
      configure({ sqlCommenter: true });
      const config = Object.freeze({ text: LAST });
      const { rows } = await client.query<{ query: string }>(config);
      const { traceId, spanId } = telemetry.onlySpan().spanContext();
      assert.equal(rows[0]?.query, `${LAST} /*traceparent='00-${traceId}-${spanId}-01'*/`);
    });

    it('leaves prepared statements and query objects of the user alone', async () => {
      configure({ sqlCommenter: true });
      const { rows } = await client.query<{ query: string }>({ name: 'prepared', text: LAST });
      assert.equal(rows[0]?.query, LAST);
      const query = new Query(LAST);
      client.query(query);
      await new Promise((resolve) => query.on('end', resolve));
      assert.equal((query as unknown as { text: string }).text, LAST);
    });

    it('leaves a text with a comment of its own alone', async () => {
      configure({ sqlCommenter: true });
      const { rows } = await client.query<{ query: string }>(`${LAST} -- mine`);
      assert.equal(rows[0]?.query, `${LAST} -- mine`);
    });
  });
});
