import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { otlp, spanId, traceId } from '../viewer/support/spans.ts';

const MAIN = fileURLToPath(new URL('../../package/cli.js', import.meta.url));
const APP = fileURLToPath(new URL('../../../test/fixtures/named-requests.mjs', import.meta.url));

describe('the width of every command in a pipe', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-width-'));
    file = join(folder, 'traces.json');
    const long = { 'url.path': `/${'long/'.repeat(60)}`, 'a.text': 'word '.repeat(80) };
    const name = `GET /${':part/'.repeat(30)}`;
    const spans = [
      { id: '1', name, kind: 2, end: 9, failed: 'because '.repeat(40), attributes: long },
      { id: '2', parent: '1', name: `SELECT ${'orders, '.repeat(40)}`, start: 2, end: 8 },
    ] as const;
    writeFileSync(file, JSON.stringify(otlp(...spans, { ...spans[0], id: '3', trace: 'f1' })));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** The length of the longest line that a command prints. */
  const widest = (args: string[], columns?: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const kept = Object.entries(process.env).filter(
        ([key]) => key !== 'COLUMNS' && !/^(OTEL_|CLEW_|NODE_)/.test(key),
      );
      const env = {
        ...Object.fromEntries(kept),
        OTEL_TRACES_EXPORTER: 'none',
        ...(columns === undefined ? {} : { COLUMNS: String(columns) }),
      };
      execFile(process.execPath, [MAIN, ...args], { env, cwd: folder }, (_, stdout, stderr) => {
        // Lines of the log stay whole; the summary of `clew run` is a table among them.
        const table = stderr.split(/^(?=clew: \d+ requests? in)/m)[1] ?? '';
        const lines = (stdout + table).trimEnd().split('\n');
        if (lines.length < 2) reject(new Error(stdout + stderr));
        else resolve(Math.max(...lines.map((line) => line.length)));
      });
    });

  const trace = ['--trace', traceId('f0')];
  for (const [what, args] of [
    ['the list', []],
    ['a trace', trace],
    ['a span', [...trace, '--span', spanId('1')]],
  ] as const) {
    it(`is 80 columns, or COLUMNS, of ${what} in clew show`, async () => {
      const all = ['show', ...args, file];
      const widths = [await widest(all), await widest(all, 50), await widest(all, 130)];
      const [usual = 0, narrow = 0, wide = 0] = widths;
      assert.ok(usual <= 80 && narrow <= 50 && wide <= 130, widths.join(' '));
      assert.ok(usual > 60 && narrow > 36 && wide > 100, widths.join(' '));
    });
  }

  it('is 80 columns, or COLUMNS, of the summary of clew run', async () => {
    const [usual, narrow] = [await widest(['run', APP]), await widest(['run', APP], 50)];
    assert.ok(usual <= 80 && usual > 60, String(usual));
    assert.ok(narrow <= 50, String(narrow));
  });

  it('is 80 columns, or COLUMNS, of the report of clew doctor', async () => {
    const args = ['doctor', APP, 'mixed'];
    const [usual, narrow, wide] = [
      await widest(args),
      await widest(args, 72),
      await widest(args, 110),
    ];
    assert.ok(
      usual <= 80 && narrow <= 72 && wide <= 110 && wide > 80,
      `${usual} ${narrow} ${wide}`,
    );
  });
});
