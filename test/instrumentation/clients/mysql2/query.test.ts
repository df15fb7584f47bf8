import assert from 'node:assert/strict';

import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import mysql, { type Connection } from 'mysql2';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireService } from '../../../support/services.ts';
import { called } from '../../support/callers.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';

describe('mysql2', () => {
  let url: string;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let connection: Connection;

  before(async function () {
    this.timeout(120_000);
    url = await requireService(this, 'mariadb');
  });

  beforeEach(async () => {
    telemetry = registerTelemetry();
    [instrumentation] = getInstrumentations({ pg: { enabled: false } }) as [Instrumentation];
    assert.equal(instrumentation.instrumentationName, 'clew/mysql2');
    instrumentation.enable();
    connection = mysql.createConnection(url);
    await called((done) => connection.connect(() => done()));
  });

  afterEach(() => {
    connection.destroy();
    instrumentation.disable();
  });

  const attributes = (): Attributes => telemetry.onlySpan().attributes;
  const query = (sql: string, values: unknown[] = []): Promise<unknown[]> =>
    called((done) => connection.query(sql, values, () => done()));

  it('distinguishes MariaDB from MySQL and shows where it is', async () => {
    await query('select ? as n', [1]);
    const { hostname, port } = new URL(url);
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

  it('shows a text with placeholders as it was before the values were written into it', async () => {
    await query('select ?, :x', ['secret']);
    assert.equal(attributes()['db.query.text'], 'select ?, :x');
    assert.doesNotMatch(JSON.stringify(attributes()), /secret/);
  });

  it('shows a text that is no own property of what a pool was given', async () => {
    const pool = mysql.createPool({ uri: url, connectionLimit: 1 });
    // As the statements of sql-template-strings and sql-template-tag are.
    class Statement {
      readonly values = [1];
      get sql(): string {
        return 'SELECT a FROM (SELECT 1 AS a) t WHERE a = ?';
      }
    }
    const statement = new Statement() as unknown as string;
    const text = new Statement().sql;
    for (const method of ['query', 'execute'] as const) {
      telemetry.reset();
      await called((done) => pool[method](statement, () => done()));
      assert.equal(telemetry.onlySpan().name, 'SELECT SELECT');
      assert.equal(attributes()['db.query.text'], text);
    }
    await called((done) => pool.end(() => done()));
  });

  it('gives the number of an error and no value', async () => {
    await query("select * from nowhere where a = 'secret'");
    const { status } = telemetry.onlySpan();
    assert.equal(status.code, SpanStatusCode.ERROR);
    assert.equal(attributes()['error.type'], '1146');
    assert.equal(attributes()['db.response.status_code'], '1146');
    assert.doesNotMatch(JSON.stringify([attributes(), status]), /secret/);
  });

  it('shows the text of a prepared statement', async () => {
    const [, statement] = await called<[unknown, mysql.PrepareStatementInfo]>((done) =>
      connection.prepare('select ? as n', done as never),
    );
    await called((done) => statement.execute([1], () => done()));
    assert.equal(attributes()['db.query.text'], 'select ? as n');
  });

  it('ends the span of a query whose connection is destroyed', async () => {
    connection.on('error', () => undefined);
    connection.query('select sleep(10)').on('error', () => undefined);
    connection.destroy();
    assert.equal(attributes()['error.type'], 'Error');
  });

  it('writes nothing on an options object of the user', async () => {
    const options = { sql: 'select ? as n', values: [1] };
    await called((done) => connection.query(options, () => done()));
    assert.deepEqual(Reflect.ownKeys(options), ['sql', 'values']);
  });
});
