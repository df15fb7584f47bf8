import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

import type { Report } from '../../src/diagnosis/finding.ts';
import { answerIn } from '../cli/support/json-answer.ts';
import { Project } from './project.ts';

const APP = 'two-callers.mjs';
const BOTH = ['/first', '/first', '/second', '/second', '/second'];

describe('clew fix N --check, of two routes with one queue,', function () {
  this.timeout(120_000);
  let project: Project;
  let report: Report;
  let source: string;

  const asks = (paths: string[]): void =>
    writeFileSync(project.path('paths.json'), JSON.stringify(paths));

  before(async () => {
    project = new Project({ fixtures: 'diagnosis-own' });
    source = readFileSync(project.path(APP), 'utf8');
    asks(BOTH);
    ({ report } = await project.doctor(APP));
  });
  afterEach(() => {
    asks(BOTH);
    writeFileSync(project.path(APP), source);
  });
  after(() => project.remove());

  const check = async (): Promise<{ code: number | null; text: string }> => {
    const { code, stdout, stderr } = await project.clew('fix', '1', '--check', '--json');
    assert.equal(stderr, '');
    return { code, text: answerIn(stdout).text };
  };

  it('has one finding, with the line of the right queue, and the number of requests of each route', () => {
    assert.equal(report.findings.length, 1);
    const { yourLine, also = [], fix } = report.findings[0] ?? {};
    const lines = [yourLine, ...also].map((place) => place?.line);
    const marks = ['first', 'second'].map((route) => project.line(APP, `${route}: yours`));
    assert.deepEqual(new Set(lines), new Set(marks));
    assert.equal(fix?.change?.line, project.line(APP, 'jobs: keeps'));
    assert.doesNotMatch(fix.change.text, /and at line/);
    assert.deepEqual(report.routes, { 'GET /first': 6, 'GET /second': 9 });
  });

  it('cannot tell where no request reached the routes, however many there were', async () => {
    asks(Array.from({ length: 9 }, () => '/other'));
    const { code, text } = await check();
    assert.equal(code, 1);
    assert.match(
      text,
      /^cannot tell: no request for GET \/(?:first|second), GET \/(?:second|first);/,
    );
  });

  it('cannot tell where one of the routes was not reached', async () => {
    const bound = source.replace('jobs.push(job)', 'jobs.push(AsyncResource.bind(job))');
    writeFileSync(project.path(APP), `import { AsyncResource } from 'node:async_hooks';${bound}`);
    asks(['/first', '/first', '/first', '/first', '/first']);
    const { code, text } = await check();
    assert.equal(code, 1);
    assert.match(text, /^cannot tell: no request for GET \/second; send one/);
  });

  it('reports which line is left where one of the callers was bound', async () => {
    const [head, first, second] = source.split(/(?=later\(\(done)/);
    const half = first?.replace('later(', 'later(AsyncResource.bind(').replace('}),', '})),');
    const lines = `import { AsyncResource } from 'node:async_hooks';\n\n${head}${half}${second}`;
    writeFileSync(project.path(APP), lines);
    const { code, text } = await check();
    assert.equal(code, 1);
    const left = project.line(APP, 'second: yours');
    assert.equal(text, `partly repaired: 1 of 2 places; ${APP}:${left} still loses the context`);
  });

  it('knows the finding again where its lines have moved', async () => {
    writeFileSync(project.path(APP), `\n\n${source}`);
    const { code, text } = await check();
    assert.equal(code, 1);
    assert.match(text, /^\d+ → \d+: not repaired$/);
  });

  it('is content where the queue keeps the context and all routes were reached', async () => {
    const bound = source.replace('jobs.push(job)', 'jobs.push(AsyncResource.bind(job))');
    writeFileSync(project.path(APP), `import { AsyncResource } from 'node:async_hooks';\n${bound}`);
    const { code, text } = await check();
    assert.equal(code, 0, text);
    assert.match(text, /^\d+ → 0$/);
  });
});
