import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SpanKind } from '@opentelemetry/api';
import type Database from 'better-sqlite3';

import {
  getInstrumentations,
  type ClientConfig,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { assertNoDifference, type Scenario } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { loadFrom, requireBetterSqlite3 } from './support.ts';

describe('better-sqlite3', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sqlite-'));
  let require: NodeJS.Require;
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;
  let db: Database.Database;

  before(function () {
    require = requireBetterSqlite3(this);
  });

  after(() => rmSync(folder, { recursive: true }));

  const open = (file = ':memory:'): Database.Database => new (loadFrom(require))(file);

  const enable = (config: ClientConfig = {}): void => {
    telemetry = registerTelemetry();
    instrumentation = getInstrumentations({ 'better-sqlite3': config }).find(
      ({ instrumentationName }) => instrumentationName === 'clew/better-sqlite3',
    )!;
    instrumentation.enable();
    db = open(join(folder, 'shop.db'));
  };

  afterEach(() => {
    db?.close();
    instrumentation?.disable();
  });

  it('records a statement as one INTERNAL span', () => {
    enable();
    db.prepare('select ? as n').get(1);
    const { kind, name, attributes } = telemetry.onlySpan();
    assert.equal(kind, SpanKind.INTERNAL);
    assert.equal(name, 'select');
    assert.deepEqual(attributes, {
      'db.system.name': 'sqlite',
      'db.namespace': 'shop.db',
      'db.query.summary': 'select',
      'db.query.text': 'select ? as n',
    });
  });

  it('replaces the literals of a text without values', () => {
    enable();
    db.prepare("select 'secret' as n").all();
    assert.equal(telemetry.onlySpan().attributes['db.query.text'], 'select ? as n');
  });

  it('records how a statement failed', () => {
    enable();
    db.exec('create temp table names (name text unique)');
    const statement = db.prepare('insert into names values (?)');
    statement.run('secret');
    telemetry.reset();
    assert.throws(() => statement.run('secret'));
    const { attributes, status } = telemetry.onlySpan();
    assert.equal(attributes['db.response.status_code'], 'SQLITE_CONSTRAINT_UNIQUE');
    assert.equal(status.message, 'UNIQUE constraint failed: names.name');
  });

  it('does not record the message of a trigger', () => {
    enable();
    db.exec(`create temp table names (name text);
      create temp trigger refuse before insert on names
      begin select raise(abort, 'secret-value'); end`);
    telemetry.reset();
    assert.throws(() => db.prepare('insert into names values (?)').run('x'), /secret-value/);
    const { attributes, status } = telemetry.onlySpan();
    assert.doesNotMatch(JSON.stringify([attributes, status]), /secret/);
  });

  it('ends the span of an iterator with its last row', () => {
    enable();
    const iterator = db.prepare('select 1 union select 2').iterate();
    iterator.next();
    iterator.next();
    assert.equal(telemetry.spans().length, 0);
    iterator.next();
    assert.equal(telemetry.spans().length, 1);
  });

  it('counts rows where the configuration asks for them', () => {
    enable({ returnedRows: true });
    db.prepare('select 1 union select 2').all();
    assert.equal(telemetry.onlySpan().attributes['db.response.returned_rows'], 2);
  });

  it('records nothing once it is disabled', () => {
    enable();
    const statement = db.prepare('select 1');
    instrumentation.disable();
    statement.get();
    assert.equal(telemetry.spans().length, 0);
  });

  const scenario = (fn: (db: Database.Database) => unknown): Scenario => {
    return () => {
      const own = open();
      try {
        return fn(own);
      } finally {
        own.close();
      }
    };
  };
  const scenarios: Record<string, Scenario> = {
    'a text that is none': scenario((own) => own.prepare(1 as never)),
    'too many values': scenario((own) => own.prepare('select ?').get(1, 2)),
    'a value that SQLite has not': scenario((own) => own.prepare('select ?').get(Symbol('s'))),
    'a frozen object of values': scenario((own) =>
      own.prepare('select @n as n').get(Object.freeze({ n: 1 })),
    ),
    'values with a getter that throws': scenario((own) =>
      own.prepare('select @n as n').get({
        get n() {
          throw new Error('planted');
        },
      }),
    ),
    'an invalid text of 10 MB': scenario((own) => own.exec("select '".repeat(1.25e6))),
    'a closed database': scenario((own) => {
      const statement = own.prepare('select 1');
      own.close();
      return statement.get();
    }),
    'a transaction on a closed database': scenario((own) => {
      own.close();
      return own.transaction(() => 1)();
    }),
    'a busy database': scenario((own) => {
      for (const row of own.prepare('select 1').iterate()) own.exec(`select ${typeof row}`);
    }),
    'a function of the user that throws': scenario((own) => {
      own.function('fail', () => {
        throw new TypeError('planted');
      });
      return own.prepare('select fail()').get();
    }),
    'a look at the statement': scenario((own) => {
      const statement = own.prepare('select 1');
      const iterator = statement.iterate();
      iterator.return?.();
      return [Object.keys(statement), Object.keys(iterator), typeof own.prepare, own.exec.length];
    }),
  };

  for (const [name, run] of Object.entries(scenarios)) {
    it(`changes nothing for the application: ${name}`, async () => {
      enable();
      instrumentation.disable();
      await assertNoDifference(run, instrumentation);
    });
  }
});
