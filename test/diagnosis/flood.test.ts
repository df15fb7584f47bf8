import assert from 'node:assert/strict';

import type { Finding } from '../../src/diagnosis/finding.ts';
import { Project } from './project.ts';

describe('clew doctor in a flood', function () {
  this.timeout(120_000);
  let project: Project;

  beforeEach(() => {
    project = new Project();
  });
  afterEach(() => project.remove());

  it('merges thousands of losses into a finding for each line, counts all, and keeps its memory', async () => {
    project.env['REQUESTS'] = '4000';
    const { report, result } = await project.doctor('--expose-gc', 'flood.mjs');
    const at = (mark: string): Finding[] =>
      report.findings.filter(({ yourLine }) => yourLine?.line === project.line('flood.mjs', mark));
    assert.equal(at('flood: lost').length, 1);
    assert.equal(at('flood: mixed').length, 1);
    assert.equal(report.findings.length, 2);
    assert.equal(at('flood: lost')[0]?.count, 2000);
    const seen = report.findings.reduce((sum, { count }) => sum + count, 0) + report.dropped;
    assert.ok(seen > 3000 && seen <= 4000, `${seen}`);
    // Two thousand requests more leave nothing behind.
    const grown = Number(/grown by (-?\d+)/.exec(result.stderr)?.[1]);
    assert.ok(grown < 1_000_000, `${grown} bytes`);
  });

  it('shows twenty of many causes, and counts what it did not look at', async () => {
    project.env['REQUESTS'] = '2';
    project.env['LINES'] = '800';
    const { stdout, code } = await project.clew('doctor', 'flood.mjs');
    assert.equal(code, 1);
    assert.equal(stdout.match(/^ {3}your code /gm)?.length, 20);
    assert.match(stdout, /\nand \d+ more causes in --json\n/);
    assert.ok(stdout.split('\n').length < 250, `${stdout.split('\n').length} lines`);
    const { report } = await project.doctor('flood.mjs');
    assert.ok(report.findings.length <= 500, `${report.findings.length}`);
    const seen = report.findings.reduce((sum, { count }) => sum + count, 0) + report.dropped;
    assert.ok(seen >= 801, `${seen}`);
    // What is not looked at is not put down to another line.
    assert.ok(report.findings.every(({ count }) => count <= 2));
  });
});
