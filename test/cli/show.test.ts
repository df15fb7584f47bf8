import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sinon from 'sinon';

import { record } from '../../src/cli/record.ts';
import { view } from '../../src/cli/view/command.ts';
import { exportTraces } from '../../src/cli/view/export.ts';
import { show } from '../../src/cli/view/show.ts';
import { otlp, spanId } from '../viewer/support/spans.ts';

const STACK = [
  'Error: gone',
  ...Array.from({ length: 3 }, (_, i) => `    at f${i} (${'/d'.repeat(50)})`),
];

describe('clew show of a file', () => {
  let folder: string;
  let file: string;

  const lines = async (...args: string[]): Promise<string[]> => {
    const print = sinon.stub(console, 'log');
    try {
      assert.equal(await show(args), 0);
      return print.args.map(([line]) => String(line));
    } finally {
      print.restore();
    }
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-show-'));
    file = join(folder, 'failed.json');
    const exception = { 'exception.type': 'Error', 'exception.message': 'the pool is\nempty' };
    const spans = otlp(
      {
        id: 'a1',
        name: 'GET /orders',
        failed: `Error: no such table ${'x'.repeat(80)}`,
        attributes: { 'http.response.status_code': 500 },
      },
      {
        id: 'b2',
        parent: 'a1',
        name: 'SELECT orders',
        failed: `no such table ${'x'.repeat(80)}`,
        attributes: { 'db.query.text': `SELECT ${'column, '.repeat(30)}` },
        links: [{ trace: 'ee', span: 'ff' }],
        events: [{ name: 'exception', attributes: { 'exception.stacktrace': STACK.join('\n') } }],
      },
      {
        id: 'c3',
        parent: 'a1',
        name: 'pool',
        failed: '',
        events: [{ name: 'exception', attributes: exception }],
      },
    );
    writeFileSync(file, JSON.stringify(spans));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('draws why a span failed, and the ids that --span takes where they are asked for', async () => {
    const tree = await lines(file);
    assert.match(
      tree.join('\n'),
      /^GET \/orders .*ERROR 500\n├─ SELECT orders.*ERROR\n│ +no such table x+…\n│ +linked to trace 0+, span 0+\n└─ pool.*ERROR\n +Error: the pool is empty\n/,
    );
    assert.match(tree.at(-1) ?? '', /--span ID; --ids/);
    const withIds = await lines(file, '--ids');
    const id = new RegExp(`^(${spanId('b2').slice(0, 8)}) .*SELECT orders`, 'm');
    assert.match(withIds.join('\n'), id);
    for (const line of [...tree, ...withIds]) assert.ok(line.length <= 80, line);
  });

  it('folds what it shows of a span, with a line for each line of a stack', async () => {
    const span = await lines(file, '--span', spanId('b2'));
    for (const line of span) assert.ok(line.length <= 80 && line === line.trimEnd(), line);
    assert.equal(span.filter((line) => /^ +at f\d \(/.test(line)).length, 3, span.join('\n'));
    assert.ok(span.some((line) => line.endsWith(spanId('ff'))));
  });

  it('explains what a report of the doctor is, and refuses what cannot be, in one line', async () => {
    const report = join(folder, 'report.json');
    writeFileSync(report, JSON.stringify({ version: 1, findings: [] }));
    const [line] = await lines(report);
    assert.match(
      line ?? '',
      /report\.json is a report of clew doctor, without traces; .*clew view/,
    );
    const out = join(folder, 'none', 'x.json');
    const secret = process.env['CLEW_RECORD_SECRET'];
    delete process.env['CLEW_RECORD_SECRET'];
    const cases: [Promise<number>, RegExp][] = [
      [show([file, '--limit', '0']), /`--limit` to be a whole number from 1 to 1000/],
      [
        exportTraces(['--otlp-json', '--out', out, file]),
        /^Cannot write .*: there is no folder .*none\.$/,
      ],
      [exportTraces(['--otlp-json', '--out', folder, file]), /^Cannot write .*: it is a folder\.$/],
      [view(['--port', '99999']), /`--port` to be a whole number/],
      [
        record(['--sign', 'GET /']),
        /CLEW_RECORD_SECRET is not set: set it to at least 16 characters/,
      ],
    ];
    if (secret !== undefined) process.env['CLEW_RECORD_SECRET'] = secret;
    for (const [refused, message] of cases) {
      await assert.rejects(refused, { code: 'ERR_OPTION', message });
    }
  });
});
