import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Report } from '../../src/diagnosis/finding.ts';
import { BUILT_IN_RULES } from '../../src/instrumentation/rules/built-in.ts';
import { generatedPart } from '../support/generated-part.ts';
import { RunningNode } from '../support/run-node.ts';
import {
  examine,
  exampleOf,
  findingOf,
  FOLDER,
  installed,
  LIBRARIES,
  PAGE,
  README,
  tableOf,
} from './libraries/table.ts';
import { MAIN } from './project.ts';

/** Those that go on in each caller's own promise. */
const KEEP = ['async-sema', 'throat', 'sequelize-pool', 'dataloader', 'kareem', 'tapable'];
const LOST = ['eventemitter3', 'eventemitter2', 'mitt', 'emittery', 'pubsub-js'];
const cells = (table: string): string[][] =>
  table.split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '---')));

describe('clew doctor, of libraries that no rule names,', function () {
  this.timeout(300_000);
  let report: Report;

  before(async () => {
    report = await examine();
  });

  it('knows no rule', () => {
    const named = Object.keys(BUILT_IN_RULES).map((key) => key.replace(/(?<!^)[@/].*$/, ''));
    assert.deepEqual(
      Object.keys(LIBRARIES).filter((name) => named.includes(name)),
      [],
    );
    assert.ok(Object.keys(LIBRARIES).length >= 15);
  });

  for (const name of Object.keys(LIBRARIES)) {
    if (KEEP.includes(name)) {
      it(`finds nothing in ${name}, which keeps its callers' contexts`, () => {
        assert.equal(findingOf(name, report), undefined);
      });
      continue;
    }
    it(`names the line, the hand-over and the owner in ${name}`, () => {
      const finding = findingOf(name, report);
      assert.equal(finding?.certainty, 'proven');
      assert.equal(finding.kind, LOST.includes(name) ? 'lost' : 'mixed');
      assert.equal(finding.handOver?.package, name);
      // A part of a path with a digit in it may be an id.
      const path = /\d/.test(name) ? '{n}' : name;
      assert.equal(finding.owner?.label, `GET /${path}/{n}`);
      assert.equal(finding.owner.count, finding.count);
      assert.ok(finding.resource);
    });
  }

  it('finds nothing else', () => {
    const known = Object.keys(LIBRARIES).map((name) => findingOf(name, report));
    const others = report.findings.filter((finding) => !known.includes(finding));
    assert.deepEqual(others, []);
  });

  it('has the table of it in its documentation', () => {
    const written = generatedPart(readFileSync(PAGE, 'utf8'), 'libraries');
    // A difference: `npm run docs:doctor` writes it anew.
    assert.deepEqual(cells(written), cells(tableOf(report)));
  });

  it('shows a real report in the README', async () => {
    const written = generatedPart(readFileSync(README, 'utf8'), 'doctor');
    // Async ids and times differ from run to run.
    const plain = (text: string): string => text.replaceAll(/\d+\.\d s|#\d+/g, '#');
    assert.equal(plain(written), plain(await exampleOf()));
  });

  for (const [name, repaired] of [
    ['semaphore', /trying semaphore default\(\)#take: args[^]*2 → 0\n +kept in/],
    ['eventemitter3', /trying eventemitter3 default#once: emitter[^]*4 → 0\n +kept in/],
    ['inflight', /trying inflight default: args[^]*2 → 0\n +kept in/],
  ] as const) {
    it(`repairs ${name} by a rule that it proves`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'clew-libraries-'));
      try {
        cpSync(FOLDER, folder, { recursive: true });
        const env = { LIBRARIES: installed(), ONLY: name };
        const run = (...args: string[]) => new RunningNode([MAIN, ...args], { cwd: folder, env });
        const first = await run('doctor', 'app.cjs').result();
        assert.equal(first.code, 1, first.stdout);
        const fixed = await run('fix', '1').result();
        assert.match(fixed.stdout, repaired);
        assert.equal(fixed.code, 0);
        const again = await run('doctor', 'app.cjs').result();
        assert.equal(again.code, 0, again.stdout);
        assert.match(again.stdout, /no context was lost/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
