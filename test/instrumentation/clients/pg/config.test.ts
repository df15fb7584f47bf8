import assert from 'node:assert/strict';

import type { Attributes } from '@opentelemetry/api';
import { Client, Query } from 'pg';

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
    this.timeout(40_000);
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
