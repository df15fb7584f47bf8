import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import type { Finding, Report } from '../../src/diagnosis/finding.ts';
import { answerIn } from '../cli/support/json-answer.ts';
import { Project } from './project.ts';

const HTTP = ['--require', './load-http.cjs', '--import', './tracing.mjs'];
/**
 * The queues: the marks of the lines whose callbacks each keeps, and the names of the functions. Some
 * of those lines come after an `await` or a `then`, or are called back by a package that keeps the
 * context. A package brings all requests to their handlers.
 */
const QUEUES = {
  pool: { routes: ['orders', 'bills', 'refunds'], names: ['waiter'] },
  batcher: { routes: ['user', 'profile', 'account'], names: ['callback'] },
  jobs: { routes: ['report'], names: ['task', 'done'] },
  cache: { routes: ['price', 'rate'], names: ['done'] },
} as const;

const namesIn = (text: string = ''): string[] =>
  Array.from(text.matchAll(/AsyncResource\.bind\((\w+)\)/g), ([, name = '']) => name);

for (const [setup, args] of [
  ['OpenTelemetry', HTTP],
  ['no tracing at all', []],
] as const) {
  describe(`clew doctor, with ${setup}, of a queue that the application has in a file of its own,`, function () {
    this.timeout(120_000);
    let project: Project;
    let report: Report;

    before(async () => {
      project = new Project({ fixtures: 'diagnosis-own' });
      ({ report } = await project.doctor(...args, 'app.mjs'));
    });
    after(() => project.remove());

    const lossOf = (queue: string): Finding | undefined =>
      report.findings.find(({ handOver }) => handOver?.file.endsWith(`/${queue}.mjs`));

    for (const [queue, { routes, names }] of Object.entries(QUEUES)) {
      const file = `${queue}.mjs`;
      it(`makes one finding of all callers of the ${queue}, with the line that hands over and the one to change`, () => {
        const finding = lossOf(queue);
        assert.ok(finding, JSON.stringify(report.findings, null, 1));
        const { kind, certainty, yourLine, also = [], handOver, fix, owner, count } = finding;
        assert.deepEqual([kind, certainty], ['mixed', 'proven']);
        const lines = [yourLine, ...also].map((place) => place?.line);
        const marks = routes.map((route) => project.line('app.mjs', `${route}: yours`));
        assert.deepEqual(new Set(lines), new Set(marks));
        assert.equal(handOver?.line, project.line(file, `${queue}: hands over`));
        assert.equal(handOver.by, 'application');
        assert.deepEqual(
          [fix.change?.file, fix.change?.line],
          [project.path(file), project.line(file, `${queue}: keeps`)],
        );
        assert.deepEqual(namesIn(fix.change?.text), names);
        assert.deepEqual(fix.rules, []);
        const others = Object.values(owner?.others ?? {});
        const owned = others.reduce((sum, each) => sum + each, owner?.count ?? 0);
        assert.equal(owned, count);
      });
    }

    it('finds nothing else', () => {
      const losses = report.findings.filter(({ note }) => !note);
      assert.equal(
        losses.length,
        Object.keys(QUEUES).length,
        losses.map(({ summary }) => summary).join('\n'),
      );
    });

    it('is not content with half of a change, which no response shows', async () => {
      const check =
        lossOf('jobs')
          ?.fix.check?.replace(/^clew /, '')
          .split(' ') ?? [];
      const file = project.path('jobs.mjs');
      const source = readFileSync(file, 'utf8');
      const half = source.replace('{ task, done }', '{ task, done: AsyncResource.bind(done) }');
      assert.notEqual(half, source);
      writeFileSync(file, `import { AsyncResource } from 'node:async_hooks';${half}`);
      const { code, stdout } = await project.clew(...check);
      writeFileSync(file, source);
      assert.equal(code, 1, stdout);
      const line = project.line('jobs.mjs', 'jobs: keeps');
      assert.match(
        stdout.replaceAll(/\s+/g, ' '),
        new RegExp(
          `\\d+ → 0; partly repaired: jobs.mjs:${line} binds done and keeps task as it is`,
        ),
      );
      for (const each of stdout.split('\n')) assert.ok(each.length <= 80, each);
    });

    it('is right about the change: with it, `clew fix N --check` and the next run are clean', async () => {
      const check =
        lossOf('pool')
          ?.fix.check?.replace(/^clew /, '')
          .split(' ') ?? [];
      const before = await project.clew(...check);
      assert.equal(before.code, 1, before.stdout + before.stderr);
      assert.match(before.stdout, /running again\n {3}\d+ → \d+: not repaired/);
      for (const queue of Object.keys(QUEUES)) {
        const { change } = lossOf(queue)?.fix ?? {};
        const text = readFileSync(change?.file ?? '', 'utf8').split('\n');
        const at = (change?.line ?? 0) - 1;
        for (const name of namesIn(change?.text)) {
          const bound = `AsyncResource.bind(${name})`;
          const isProperty = text[at]?.includes('{');
          const place = new RegExp(`\\b${name}(?=,| }|\\))`);
          text[at] = text[at]?.replace(place, isProperty ? `${name}: ${bound}` : bound) ?? '';
        }
        writeFileSync(
          change?.file ?? '',
          `import { AsyncResource } from 'node:async_hooks';${text.join('\n')}`,
        );
      }
      const after = await project.clew(...check, '--json');
      assert.equal(after.code, 0, after.stdout + after.stderr);
      const { repaired, file, text } = answerIn(after.stdout);
      assert.deepEqual([repaired, file], [true, undefined]);
      assert.match(text, /^\d+ → 0$/);
      assert.ok(!existsSync(project.path('clew.rules.json')));
      const { report: next, result } = await project.doctor(...args, 'app.mjs');
      const left = next.findings.filter(({ note }) => !note).map(({ summary }) => summary);
      assert.deepEqual(left, []);
      assert.equal(result.code, 0);
      assert.ok(next.requests >= report.requests);
    });
  });
}
