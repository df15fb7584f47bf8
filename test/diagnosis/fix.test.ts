import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import type { Report } from '../../src/diagnosis/finding.ts';
import { answerIn } from '../cli/support/json-answer.ts';
import { Project } from './project.ts';

describe('clew fix', function () {
  this.timeout(120_000);
  let project: Project;
  let report: Report;

  before(async () => {
    project = new Project();
    ({ report } = await project.doctor('--import', './tracing.mjs', 'classes.mjs'));
  });
  after(() => project.remove());

  const numberOf = (mark: string): string => {
    const line = project.line('classes.mjs', mark);
    const finding = report.findings.find(({ yourLine }) => yourLine?.line === line);
    return String(finding?.number);
  };

  it('changes nothing where it is only asked what it would do', async () => {
    const { stdout, code } = await project.clew('fix', numberOf('queue: yours'), '--dry-run');
    assert.equal(code, 0);
    assert.match(stdout, /would try line-client Client#query: args/);
    assert.ok(!existsSync(project.path('clew.rules.json')));
  });

  it('reports which line to change where no rule can repair', async () => {
    const { stdout, code } = await project.clew('fix', numberOf('inactive: yours'));
    assert.equal(code, 1);
    assert.match(stdout, /classes\.mjs:\d+: use tracer\.startActiveSpan/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('refuses a number that the last run has not', async () => {
    const { stderr, code } = await project.clew('fix', '99');
    assert.equal(code, 2);
    assert.match(stderr, /number of a finding, 1 to \d+, got `99`/);
  });

  it('has nothing to repair where the last run found nothing', async () => {
    const kept = project.path('node_modules/.cache/clew/doctor.json');
    const text = readFileSync(kept, 'utf8');
    const last = JSON.parse(text) as { report: Report };
    last.report.findings = [];
    writeFileSync(kept, JSON.stringify(last));
    const { stderr, code } = await project.clew('fix', '1');
    writeFileSync(kept, text);
    assert.equal(code, 2);
    assert.match(
      stderr.replaceAll(/\s+/g, ' '),
      /There is no finding 1: the last run .* found nothing/,
    );
  });

  it('writes a rule, proves it by running again, and the next run is clean of it', async () => {
    writeFileSync(project.path('clew.rules.json'), '{\n  // kept\n  "rules": {}\n}\n');
    const { stdout, code } = await project.clew('fix', numberOf('queue: yours'), '--json');
    assert.equal(code, 0, stdout);
    const { attempts, repaired, file } = answerIn(stdout);
    assert.deepEqual([repaired, file], [true, 'clew.rules.json']);
    assert.deepEqual([attempts.at(-1).result, attempts.at(-1).text], ['repaired', '1 → 0']);
    const rules = readFileSync(project.path('clew.rules.json'), 'utf8');
    assert.match(rules, /\/\/ kept\n[^]*"Client#query": "args"/);
    const next = await project.doctor('--import', './tracing.mjs', 'classes.mjs');
    assert.ok(next.report.rules?.endsWith('/clew.rules.json'));
    assert.equal(report.rules, undefined);
    const line = project.line('classes.mjs', 'queue: yours');
    assert.ok(!next.report.findings.some(({ yourLine }) => yourLine?.line === line));
  });

  it('takes out a rule that does not repair', async () => {
    const before = readFileSync(project.path('clew.rules.json'), 'utf8');
    const kept = project.path('node_modules/.cache/clew/doctor.json');
    const last = JSON.parse(readFileSync(kept, 'utf8')) as { report: Report };
    const task = last.report.findings.find(({ handOver }) => handOver?.package === 'task-runner');
    assert.ok(task);
    task.fix.rules = [{ module: 'task-runner', path: 'default()#push', rule: 'args' }];
    writeFileSync(kept, JSON.stringify(last));
    const { stdout, code } = await project.clew('fix', String(task.number));
    assert.equal(code, 1, stdout);
    assert.match(stdout, /2 → 2: not repaired/);
    assert.equal(readFileSync(project.path('clew.rules.json'), 'utf8'), before);
  });
});
