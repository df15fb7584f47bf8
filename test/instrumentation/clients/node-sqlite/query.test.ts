import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SpanKind } from '@opentelemetry/api';

import {
  getInstrumentations,
  type Instrumentation,
} from '../../../../src/instrumentation/index.ts';
import { runApplication } from '../../support/application.ts';
import { assertNoDifference, type Scenario } from '../../support/differential.ts';
import { registerTelemetry, type Telemetry } from '../../support/telemetry.ts';
import type { SynchronousDatabase } from '../sqlite/forms.ts';
import { nodeSqlite } from './forms.ts';

const USE = `
  const db = new DatabaseSync(':memory:');
  db.prepare('select ?').get(1);
`;
const APPLICATIONS = {
  'an ES module': ['module', `import { DatabaseSync } from 'node:sqlite'; ${USE}`],
  'a CommonJS module': ['commonjs', `const { DatabaseSync } = require('node:sqlite'); ${USE}`],
} as const;

// Before Node 22.5 there is none.
(nodeSqlite ? describe : describe.skip)('node:sqlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clew-sqlite-'));
  let instrumentation: Instrumentation;
  let telemetry: Telemetry;

  after(() => rmSync(folder, { recursive: true }));

  const open = (file = ':memory:'): SynchronousDatabase => new nodeSqlite!.DatabaseSync(file);

  beforeEach(() => {
    telemetry = registerTelemetry();
    instrumentation = getInstrumentations().find(
      ({ instrumentationName }) => instrumentationName === 'clew/node:sqlite',
    )!;
    instrumentation.enable();
  });

  afterEach(() => instrumentation.disable());

  it('records a statement as one INTERNAL span', () => {
    instrumentation.instrument(nodeSqlite);
    const db = open(join(folder, 'shop.db'));
    db.prepare('select ? as n').get(1);
    db.close();
    const { kind, name, attributes } = telemetry.onlySpan();
    assert.equal(kind, SpanKind.INTERNAL);
    assert.equal(name, 'select');
    assert.deepEqual(attributes, {
      'db.system.name': 'sqlite',
      ...('location' in nodeSqlite!.DatabaseSync.prototype && { 'db.namespace': 'shop.db' }),
      'db.query.summary': 'select',
      'db.query.text': 'select ? as n',
    });
  });

  it('records how a statement failed', () => {
    instrumentation.instrument(nodeSqlite);
    const db = open();
    db.exec('create table names (name text unique)');
    const statement = db.prepare('insert into names values (?)');
    statement.run('secret');
    telemetry.reset();
    assert.throws(() => statement.run('secret'));
    const { attributes, status } = telemetry.onlySpan();
    assert.equal(attributes['db.response.status_code'], '2067');
    assert.equal(status.message, 'UNIQUE constraint failed: names.name');
  });

  for (const [name, [kind, source]] of Object.entries(APPLICATIONS)) {
    it(`is instrumented in ${name}`, async () => {
      const spans = await runApplication(source, kind, { NODE_NO_WARNINGS: '1' });
      assert.deepEqual(
        spans.map(({ attributes }) => attributes['db.query.text']),
        ['select ?'],
      );
    });
  }

  const scenarios: Record<string, Scenario> = {
    'a text that is none': () => open().prepare(1 as never),
    'too many values': () => open().prepare('select ?').get(1, 2),
    'a value that SQLite has not': () => open().prepare('select ?').get(Symbol('s')),
    'an invalid text of 10 MB': () => open().exec("select '".repeat(1.25e6)),
    'a closed database': () => {
      const db = open();
      const statement = db.prepare('select 1');
      db.close();
      return statement.get();
    },
    'a function of the user that throws': () => {
      const db = open();
      db.function('fail', () => {
        throw new TypeError('planted');
      });
      return db.prepare('select fail()').get();
    },
  };

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`changes nothing for the application: ${name}`, async () => {
      instrumentation.disable();
      // It is loaded already, so enabling alone does nothing.
      const enable = instrumentation.enable.bind(instrumentation);
      instrumentation.enable = () => {
        enable();
        instrumentation.instrument(nodeSqlite);
      };
      await assertNoDifference(scenario, instrumentation);
    });
  }
});
