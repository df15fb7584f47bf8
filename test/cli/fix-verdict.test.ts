import assert from 'node:assert/strict';

import { compare, leftUnbound } from '../../src/cli/fix-verdict.ts';
import { MAX_ROUTES, type Finding, type Place, type Report } from '../../src/diagnosis/finding.ts';

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
const report = (findings: Finding[], requests = 10, routes: Report['routes'] = {}): Report => ({
  $schema: '',
  version: 1,
  requests,
  routes,
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

  it('takes the requests of the routes of the finding, not all', () => {
    const own = { ...finding, owner: { label: 'GET /report', count: 7, evidence: '' } };
    const before = report([own], 10, { 'GET /report': 4 });
    const verdict = (routes: Report['routes']): ReturnType<typeof compare> =>
      compare(before, report([], 10, routes), own);
    assert.equal(verdict({ 'GET /report': 2 }).isProven, true);
    assert.deepEqual(verdict({ 'GET /report': 1 }), {
      isProven: false,
      text: 'cannot tell: too little traffic: 1 request for GET /report, 4 before',
    });
    assert.deepEqual(verdict({ 'GET /ok': 10 }), {
      isProven: false,
      text: 'cannot tell: no request for GET /report; send one, as before',
    });
    // More names than are kept: the route may be one of those that were not.
    const many = Object.fromEntries(Array.from({ length: MAX_ROUTES }, (_, i) => [`GET /${i}`, 1]));
    assert.equal(verdict(many).isProven, true);
    // A job is no request.
    assert.equal(compare(report([own]), report([]), own).isProven, true);
  });

  it('tells two lines with one text apart, though a change moved them', () => {
    const code = 'res.json(rows);';
    const at = (line: number): Finding => ({
      ...finding,
      yourLine: { file: '/app/routes.js', line, column: 5, code },
    });
    const [first, second] = [at(10), at(20)];
    const before = report([first, second]);
    assert.equal(compare(before, report([at(21)]), first).isProven, true);
    assert.match(compare(before, report([at(21)]), second).text, /not repaired/);
    assert.match(compare(before, report([at(11)]), first).text, /not repaired/);
    const other = {
      ...at(30),
      yourLine: { file: '/app/routes.js', line: 30, column: 5, code: 'x' },
    };
    assert.match(compare(before, report([other]), first).text, /^it caused another finding/);
  });

  it('names what is left of the lines', () => {
    const place = (line: number): Place => ({ file: '/app/routes.js', line, column: 5 });
    const three = { ...finding, also: [place(7), place(9)] };
    const left = report([{ ...finding, count: 2, yourLine: place(9) }]);
    assert.deepEqual(compare(report([three]), left, three), {
      isProven: false,
      text: 'partly repaired: 2 of 3 places; routes.js:9 still loses the context',
    });
    const few = report([{ ...finding, count: 2, yourLine: place(9) }], 1);
    assert.match(
      compare(report([three]), few, three).text,
      /^not repaired: routes\.js:9 still loses the context; too little traffic: 1 request, 10 before$/,
    );
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
