import assert from 'node:assert/strict';

import { compare, leftUnbound } from '../../src/cli/fix-verdict.ts';
import type { Finding, Report } from '../../src/diagnosis/finding.ts';

const finding: Finding = {
  number: 1,
  name: 'CLEW-MIXED-QUEUE',
  kind: 'mixed',
  certainty: 'proven',
  note: false,
  count: 7,
  brokenSpans: 3,
  summary: 'MIXED 7 × query of GET /report in another request',
  yourLine: { file: '/app/routes.js', line: 3, column: 5 },
  fix: {
    rules: [],
    change: { file: '/app/jobs.js', line: 4, text: 'keep …', names: ['task', 'done'] },
  },
  docs: '',
};
const setup = (name: Finding['name']): Finding => ({
  number: 2,
  name,
  kind: 'setup',
  certainty: 'proven',
  note: false,
  count: 1,
  brokenSpans: 0,
  summary: name,
  fix: { rules: [], change: { text: 'start it' } },
  docs: '',
});
const report = (findings: Finding[], requests = 10): Report => ({
  $schema: '',
  version: 1,
  requests,
  spans: 0,
  millis: 1,
  findings,
  dropped: 0,
});

describe('the verdict about a repair', () => {
  it('is that it is proven where the finding is gone', () => {
    const verdict = compare(report([finding]), report([]), finding);
    assert.deepEqual(verdict, { isProven: true, text: '7 → 0' });
  });

  it('is that it is not where the line has the trouble, whichever way it shows', () => {
    const after = report([{ ...finding, kind: 'lost', count: 2 }]);
    const verdict = compare(report([finding]), after, finding);
    assert.deepEqual(verdict, { isProven: false, text: '7 → 2: not repaired' });
  });

  it('takes less than half of the traffic for no proof', () => {
    assert.equal(compare(report([finding]), report([], 5), finding).isProven, true);
    assert.equal(compare(report([finding]), report([], 4), finding).isProven, false);
    assert.equal(compare(report([finding]), undefined, finding).isProven, false);
  });

  it('tells faults of the set-up apart, which have no line', () => {
    const before = report([setup('CLEW-SETUP-NO-COLLECTOR'), finding]);
    const same = report([setup('CLEW-SETUP-NO-COLLECTOR')]);
    const other = report([setup('CLEW-SETUP-API-COPIES')]);
    assert.equal(compare(before, same, finding).isProven, true);
    assert.match(compare(before, other, finding).text, /^it caused another finding: .*COPIES/);
    const [first] = before.findings;
    assert.ok(first);
    assert.equal(compare(before, other, first).isProven, false);
    assert.match(compare(before, same, first).text, /not repaired/);
  });
});

describe('what a change by hand left out', () => {
  const left = (body: string): ReturnType<typeof leftUnbound> => {
    const source = `class Jobs {\n  push(task, done) {\n    ${body}\n  }\n}\n`;
    return leftUnbound(finding, (file) => (file === '/app/jobs.js' ? source : undefined));
  };

  it('is the function that is kept as it is beside one that is bound', () => {
    for (const body of [
      'this.waiting.push({ task, done: AsyncResource.bind(done) });',
      'const bound = AsyncResource.bind(done);\n    this.waiting.push({ task, done: bound });',
      'done = context.bind(context.active(), done);\n    this.waiting.push({ task, done });',
    ]) {
      const { isProven, text } = left(body) ?? {};
      assert.equal(isProven, false, body);
      assert.match(text ?? '', /^partly repaired: jobs\.js:\d binds done and keeps task as it is/);
    }
    assert.match(
      left('this.waiting.push({ task: AsyncResource.bind(task), done });')?.text ?? '',
      /binds task and keeps done/,
    );
  });

  it('is nothing where both are bound, or kept no more', () => {
    for (const body of [
      'this.waiting.push({ task: AsyncResource.bind(task), done: AsyncResource.bind(done) });',
      'task = AsyncResource.bind(task);\n    this.waiting.push({ task, done: AsyncResource.bind(done) });',
      'this.waiting.push({ task: AR.bind(task), done: bindToCaller(done) });',
      'return this.queue.add(() => new Promise((resolve) => task(resolve))).then(done);',
    ]) {
      assert.equal(left(body), undefined, body);
    }
  });

  it('cannot be told where nothing is bound there, which is no failure', () => {
    const { isProven, text } = left('this.waiting.push({ task, done });') ?? {};
    assert.equal(isProven, true);
    assert.match(
      text ?? '',
      /^jobs\.js:3 still keeps task and done, .* cannot be told from responses$/,
    );
  });

  it('is not looked for where one function was to be bound, or the source is gone', () => {
    const one = { ...finding, fix: { ...finding.fix, change: { text: '', names: ['done'] } } };
    assert.equal(
      leftUnbound(one, () => 'x'),
      undefined,
    );
    assert.equal(
      leftUnbound(finding, () => undefined),
      undefined,
    );
  });
});
