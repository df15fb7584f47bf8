import assert from 'node:assert/strict';

import { metrics } from '@opentelemetry/api';
import fc from 'fast-check';

import { resolveClientConfig } from '../../../src/instrumentation/client-config.ts';
import * as mariadb from '../../../src/instrumentation/clients/mariadb/attributes.ts';
import * as mysql from '../../../src/instrumentation/clients/mysql-shared/attributes.ts';
import * as pg from '../../../src/instrumentation/clients/pg/attributes.ts';
import * as sqlite from '../../../src/instrumentation/clients/sqlite/attributes.ts';
import type { Operation, Responses } from '../../../src/instrumentation/operation.ts';
import { createEndpoint } from '../../../src/instrumentation/recorder/endpoint.ts';
import { Recorder } from '../../../src/instrumentation/recorder/recorder.ts';
import type { SqlDialect } from '../../../src/instrumentation/sql/sql-text.ts';
import { registerMeasurements } from '../support/measurements.ts';
import { registerTelemetry } from '../support/telemetry.ts';
import { generate, SECRETS } from './generator.ts';
import { RUNS, SEED } from './properties.ts';

/** A client as far as it has a say in what is exported, and how its server complains. */
interface Client {
  describeError: Responses['describeError'];
  describe(text: string): Operation;
  /** Errors as the client makes them of messages that repeat `near`, a part of `text`. */
  errors(near: string, text: string): object[];
}

const endpointOf = (system: string): ReturnType<typeof createEndpoint> =>
  createEndpoint({ system, namespace: 'shop', address: 'localhost' });

const mysqlMessages = (near: string): [errno: number, code: string, message: string][] => [
  [
    1064,
    'ER_PARSE_ERROR',
    `You have an error in your SQL syntax; check the manual for the right syntax to use near '${near}' at line 1`,
  ],
  [1062, 'ER_DUP_ENTRY', `Duplicate entry '${near}' for key 'users.email'`],
  [1644, 'ER_SIGNAL_EXCEPTION', near],
];

const CLIENTS: Partial<Record<SqlDialect, Client>> & Record<'sqlite', Client> = {
  postgresql: {
    describeError: pg.describeError,
    describe: (text) => pg.describeQuery(endpointOf('postgresql'), { text }),
    errors: (near) => [
      { code: '42601', message: `syntax error at or near "${near}"` },
      { code: '22P02', message: `invalid input syntax for type integer: "${near}"` },
      { code: 'P0001', message: near },
    ],
  },
  mysql: {
    describeError: mysql.describeError,
    describe: (text) => mysql.describeStatement(endpointOf('mysql'), text, undefined),
    errors: (near, sql) =>
      mysqlMessages(near).map(([errno, code, message]) => ({ errno, code, message, sql })),
  },
  mariadb: {
    describeError: mariadb.describeError,
    describe: (sql) => mariadb.describeStatement(endpointOf('mariadb'), { sql }),
    errors: (near, sql) =>
      mysqlMessages(near).map(([errno, code, sqlMessage]) => {
        const message = `(conn:1, no: ${errno}, SQLState: 42000) ${sqlMessage}\nsql: ${sql}`;
        return { errno, code, sqlMessage, message, sql };
      }),
  },
  sqlite: {
    describeError: sqlite.describeError,
    describe: (text) => sqlite.describeStatement(endpointOf('sqlite'), text),
    errors: (near) => [
      { code: 'SQLITE_ERROR', message: `near "${near}": syntax error` },
      { code: 'SQLITE_ERROR', message: `unrecognized token: "${near}"` },
      { code: 'SQLITE_CONSTRAINT_TRIGGER', message: near },
    ],
  },
};

function assertNoSecret(exported: unknown, statement: string): void {
  const shown = JSON.stringify(exported);
  for (const secret of SECRETS) {
    assert.ok(!shown.includes(secret), `${statement}\n  is exported as: ${shown}`);
  }
}

describe(`what is exported of generated statements that fail (SQL_SEED=${SEED})`, function () {
  this.timeout(120_000);

  afterEach(() => metrics.disable());

  for (const [dialect, client] of Object.entries(CLIENTS) as [SqlDialect, Client][]) {
    it(`holds no literal in any field, in ${RUNS} of ${dialect}`, async () => {
      const telemetry = registerTelemetry();
      const measure = registerMeasurements();
      const config = resolveClientConfig({ legacyAttributes: true, returnedRows: true });
      const { describeError } = client;
      const recorder = new Recorder('clew/test', '1', config, { describeError });
      let count = 0;
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 160, size: 'max' }), (bytes) => {
          const { sql } = generate(dialect, bytes);
          const at = Math.floor((sql.length * (bytes.at(-1) ?? 0)) / 255);
          const errors = client.errors(sql.slice(at, at + 80), sql);
          const failure = errors[count++ % errors.length] as { message: string };
          // As thrown: the stack repeats the message.
          const thrown = Object.assign(new Error(failure.message), failure);
          recorder.start(client.describe(sql))!.end(thrown);
          const { name, attributes, status, events, links } = telemetry.onlySpan();
          // Without their times, whose digits may be those of a literal.
          const timeless = events.map((event) => ({ name: event.name, of: event.attributes }));
          assertNoSecret({ name, attributes, status, timeless, links }, sql);
          assert.deepEqual(
            events.map((event) => event.name),
            ['exception'],
          );
          assert.ok(attributes['db.response.status_code']);
          telemetry.reset();
        }),
        { seed: SEED, numRuns: RUNS },
      );
      const points = await measure('db.client.operation.duration');
      assert.ok(points.length > 0);
      assertNoSecret(
        points.map((point) => point.attributes),
        'a measurement',
      );
    });
  }

  it('takes what SQLite may take for a string in double quotes for one', () => {
    const telemetry = registerTelemetry();
    const config = resolveClientConfig({});
    const { describeError } = sqlite;
    const recorder = new Recorder('clew/test', '1', config, { describeError });
    const operation = CLIENTS.sqlite.describe('select "n" from "t" where "t"."a" = "zqx"');
    recorder
      .start(operation)!
      .end({ code: 'SQLITE_ERROR', message: 'no such column: zqx - should this be a string?' });
    const { attributes, status } = telemetry.onlySpan();
    assert.equal(attributes['db.query.text'], 'select ? from "t" where "t"."a" = ?');
    assertNoSecret({ attributes, status }, 'a name that is none');
  });
});
