import assert from 'node:assert/strict';

import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';
import mariadb, { type Connection } from 'mariadb';
import type { Histogram } from '@opentelemetry/sdk-metrics';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { describeError } from '../../../../src/instrumentation/clients/mariadb/attributes.ts';
import { requireService } from '../../../support/services.ts';
import { registerMeasurements } from '../../support/measurements.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { optionsOf, withFile } from './support.ts';

const NAME = 'db.client.connection.pool.name';

describe('mariadb', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let connection: Connection | undefined;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'mariadb');
  });

  const enable = async (config: object = {}): Promise<void> => {
    await connection?.end();
    instrumentation?.disable();
    instrumentation = getInstrumentations({ mariadb: config }).find(
      ({ instrumentationName }) => instrumentationName === 'clew/mariadb',
    )!;
    instrumentation.enable();
    instrumentation.instrument(mariadb);
    connection = await mariadb.createConnection(optionsOf(url));
  };

  beforeEach(async () => {
    telemetry = registerTelemetry();
    await enable();
  });

  afterEach(async () => {
    await connection?.end();
    connection = undefined;
    instrumentation.disable();
  });

  const attributes = (): Attributes => telemetry.onlySpan().attributes;

  it('records a query as one CLIENT span with the attributes of its server', async () => {
    await connection!.query('select ? as n', [1]);
    const { hostname, port } = new URL(url);
    assert.equal(telemetry.onlySpan().kind, SpanKind.CLIENT);
    assert.deepEqual(attributes(), {
      'db.system.name': 'mariadb',
      'db.namespace': 'clew',
      'db.query.summary': 'select',
      'db.query.text': 'select ? as n',
      'server.address': hostname,
      'server.port': Number(port),
      'network.peer.address': '127.0.0.1',
      'network.peer.port': Number(port),
    });
  });

  it('follows the database that is chosen', async () => {
    await connection!.query('use information_schema');
    telemetry.reset();
    await connection!.query('select 1');
    assert.equal(attributes()['db.namespace'], 'information_schema');
  });

  it('keeps a text with one value that is in no list', async () => {
    await connection!.query("select ?, 'kept'", 'secret');
    assert.equal(attributes()['db.query.text'], "select ?, 'kept'");
  });

  it('gives the number of an error and none of the values that its message repeats', async () => {
    const wrong = connection!.query("select * from nowhere where a = ? and b = 'planted'", [
      'secret',
    ]);
    await assert.rejects(wrong, /planted/);
    const { status } = telemetry.onlySpan();
    assert.equal(status.code, SpanStatusCode.ERROR);
    assert.equal(status.message, "Table 'clew.nowhere' doesn't exist");
    assert.equal(attributes()['error.type'], '1146');
    assert.equal(attributes()['db.response.status_code'], '1146');
  });

  it('shows no message that the application wrote in the database', async () => {
    await assert.rejects(
      connection!.query("signal sqlstate '45000' set message_text = 'a planted secret'"),
    );
    assert.equal(telemetry.onlySpan().status.message, 'ER_SIGNAL_EXCEPTION');
  });

  it('takes the errors of the library for what they are', () => {
    const errno = 45_013;
    assert.deepEqual(describeError({ errno, code: 'ER_CMD_CONNECTION_CLOSED' }), {
      type: 'ER_CMD_CONNECTION_CLOSED',
      message: 'ER_CMD_CONNECTION_CLOSED',
    });
    assert.deepEqual(describeError({ errno: -111, code: 'ECONNREFUSED' }), {
      type: 'ECONNREFUSED',
      message: 'ECONNREFUSED',
    });
    assert.deepEqual(describeError(new TypeError('secret')), { type: 'TypeError' });
  });

  for (const [bulk, values] of [
    [true, [[1], [2], [3]]],
    [false, [[1], [2], [3]]],
    [false, [[1]]],
  ] as const) {
    it(`records a batch of ${values.length} as one span, ${bulk ? 'in bulk' : 'one by one'}`, async () => {
      await connection!.query('create temporary table counted (n int)');
      telemetry.reset();
      const sql = 'insert into counted values (?)';
      await connection!.batch({ sql, bulk }, values as unknown as unknown[][]);
      const isBatch = values.length > 1;
      assert.equal(attributes()['db.operation.batch.size'], isBatch ? values.length : undefined);
      assert.equal(attributes()['db.query.text'], sql);
      assert.equal(telemetry.onlySpan().name, isBatch ? 'BATCH insert counted' : 'insert counted');
    });
  }

  it('records an import as one batch, and a query behind it as its own', async () => {
    await withFile((file) => connection!.importFile({ file }));
    assert.equal(telemetry.onlySpan().name, 'BATCH');
    await connection!.query('select 1');
    assert.equal(telemetry.spans().length, 2);
  });

  it('appends the trace context to what is not prepared', async () => {
    await enable({ sqlCommenter: true });
    const [row] = await connection!.query<{ info: string }[]>(
      'select info from information_schema.processlist where id = connection_id()',
    );
    assert.match(row!.info, /\/\*traceparent=/);
    await connection!.execute('select ?', [1]);
    assert.equal(telemetry.spans().length, 2);
  });

  it('counts rows where the configuration asks for them', async () => {
    await enable({ returnedRows: true });
    await connection!.query('select 1 union select 2');
    assert.equal(attributes()['db.response.returned_rows'], 2);
  });

  it('ends the spans of queries whose connection is destroyed', async () => {
    const pool = mariadb.createPool({ ...optionsOf(url), connectionLimit: 1, pipelining: false });
    const pooled = await pool.getConnection();
    const sleeping = pooled.query('select sleep(20)').catch(() => 'rejected');
    // The library forgets those that wait behind it: their promises are never kept.
    void pooled.query('select 1');
    pooled.destroy();
    assert.equal(await sleeping, 'rejected');
    const ended = telemetry.spans().map((span) => span.attributes['error.type']);
    assert.deepEqual(ended, ['ER_CMD_NOT_EXECUTED_DESTROYED', 'ER_CMD_NOT_EXECUTED_DESTROYED']);
    await pool.end();
  });

  it('shows who waits for a pool, and how long was waited, opened and used', async () => {
    const measure = registerMeasurements();
    const pool = mariadb.createPool({ ...optionsOf(url), connectionLimit: 1, acquireTimeout: 400 });
    const first = await pool.getConnection();
    const waiting = pool.query('select 1');
    const [pending] = await measure('db.client.connection.pending_requests');
    assert.equal(pending?.value, 1);
    await first.release();
    await waiting;
    assert.ok(Number(attributes()['clew.pool.wait.ms']) > 0);
    const name = { [NAME]: `${new URL(url).host}/clew` };
    for (const [metric, count] of [
      ['wait_time', 2],
      ['create_time', 1],
      ['use_time', 2],
    ] as const) {
      const [point] = await measure(`db.client.connection.${metric}`);
      assert.deepEqual(point?.attributes, name);
      assert.equal((point.value as Histogram).count, count, metric);
    }
    const states = await measure('db.client.connection.count');
    assert.deepEqual(
      states.map((point) => [point.attributes['db.client.connection.state'], point.value]),
      [
        ['used', 0],
        ['idle', 1],
      ],
    );
    const held = await pool.getConnection();
    await assert.rejects(pool.query('select 1'), /pool timeout/);
    const [timeouts] = await measure('db.client.connection.timeouts');
    assert.deepEqual(timeouts, { attributes: name, value: 1 });
    await held.release();
    await pool.end();
  });
});
