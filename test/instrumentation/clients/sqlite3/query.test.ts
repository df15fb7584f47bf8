import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';

import { SpanKind } from '@opentelemetry/api';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { requireNative } from '../../../support/native-modules.ts';
import { runApplication } from '../../support/application.ts';
import { called } from '../../support/callers.ts';
import { assertNoDifference, describeError, type Scenario } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { NEWEST, type Database, type Module } from './forms.ts';

const USE = `
  const db = new sqlite3.Database(':memory:');
  db.get('select ?', 1, () => db.close());
`;

describe('sqlite3', () => {
  let require: NodeJS.Require;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  before(function () {
    require = requireNative(this, NEWEST);
  });

  const open = (): Database => {
    const { Database } = require('sqlite3') as Module;
    return new Database(':memory:');
  };

  const enable = (config: ClientConfig = {}): void => {
    telemetry = registerTelemetry();
    instrumentation = getInstrumentations({ sqlite3: config }).find(
      ({ instrumentationName }) => instrumentationName === 'clew/sqlite3',
    )!;
    instrumentation.enable();
  };

  afterEach(() => instrumentation?.disable());

  it('records a statement as one INTERNAL span', async () => {
    enable({ returnedRows: true });
    await called((done) => open().all('select ? as n', 1, done));
    const { kind, name, attributes } = telemetry.onlySpan();
    assert.equal(kind, SpanKind.INTERNAL);
    assert.equal(name, 'select');
    assert.deepEqual(attributes, {
      'db.system.name': 'sqlite',
      'db.query.summary': 'select',
      'db.query.text': 'select ? as n',
      'db.response.returned_rows': 1,
    });
  });

  it('records how a statement failed without the values it was given', async () => {
    enable();
    const db = open();
    await called((done) => db.exec("create table t (n check (n <> 'secret-value'))", done));
    telemetry.reset();
    await called((done) => db.run("insert into t values ('secret-value')", done));
    const { attributes, status, events } = telemetry.onlySpan();
    assert.equal(attributes['db.response.status_code'], 'SQLITE_CONSTRAINT');
    assert.doesNotMatch(JSON.stringify([attributes, status, events]), /secret/);
  });

  for (const [name, [kind, source]] of Object.entries({
    'an ES module': ['module', `import sqlite3 from 'sqlite3'; ${USE}`],
    'a CommonJS module': ['commonjs', `const sqlite3 = require('sqlite3'); ${USE}`],
  } as const)) {
    it(`is instrumented in ${name}`, async () => {
      const folder = dirname(require.resolve('sqlite3/package.json'));
      const spans = await runApplication(source, kind, {}, join(folder, '../..'));
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['select ?'],
      );
    });
  }

  const outcome = (fn: (db: Database, done: (...args: unknown[]) => void) => unknown): Scenario => {
    return async () => {
      const db = open();
      const seen = await called((done: (...args: unknown[]) => void) => {
        db.on('error', (error) => done('event', describeError(error)));
        fn(db, (...args) =>
          done(...args.map((arg) => (arg instanceof Error ? describeError(arg) : arg))),
        );
      });
      await called((done) => db.close(done));
      return seen;
    };
  };
  // A text that is none, no text and a callback that throws end the process, with us or without.
  const scenarios: Record<string, Scenario> = {
    'an error without a callback': outcome((db, done) => {
      db.prepare('select wrong').on('error', done);
    }),
    'an error of a statement without a callback': outcome((db, done) => {
      db.exec('create table t (n unique); insert into t values (1)');
      const statement = db.prepare('insert into t values (?)');
      statement.on('error', done);
      statement.run(1).finalize();
    }),
    'an error of exec without a callback': outcome((db) => db.exec('select wrong')),
    'an error of each': outcome((db, done) => db.each('select wrong', done)),
    'an invalid text of 10 MB': outcome((db, done) => db.exec("select '".repeat(1.25e6), done)),
    'a closed database': outcome((db, done) => {
      db.close(() => db.get('select 1', done));
    }),
    'a result, and what it is called with': outcome((db, done) => {
      db.run('select 1', function (this: object, ...args: unknown[]) {
        done(args, Object.keys(this));
      });
    }),
  };

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`changes nothing for the application: ${name}`, async () => {
      enable();
      instrumentation.disable();
      await assertNoDifference(scenario, instrumentation);
    });
  }
});
