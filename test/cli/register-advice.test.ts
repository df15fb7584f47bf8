import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';

import { advise } from '../../src/cli/register-advice.ts';
import type { Finding, Report } from '../../src/diagnosis/finding.ts';
import { Project } from '../diagnosis/project.ts';

const LIBRARY = `const waiting = [];
exports.Pool = class Pool {
  query(done) {
    waiting.push(done);
    if (waiting.length === 3) setTimeout(() => { for (const each of waiting.splice(0)) each(1); }, 1);
  }
};
`;
const APP = `import { createServer } from 'node:http';
import pg from 'pg';
const pool = new pg.Pool();
const server = createServer((req, res) => {
  pool.query((rows) => {
    res.end(String(rows));
  });
}).listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port;
  await Promise.all([1, 2, 3].map(() => fetch(url).then((r) => r.text())));
  server.closeAllConnections();
  server.close();
});
`;

describe('the advice to start with clew/register', function () {
  this.timeout(60_000);
  let project: Project;

  before(() => {
    project = new Project({ fixtures: 'diagnosis-own' });
    mkdirSync(project.path('node_modules/pg'));
    writeFileSync(project.path('node_modules/pg/index.js'), LIBRARY);
    writeFileSync(project.path('driver.mjs'), APP);
  });
  after(() => project.remove());

  it('is given where a library that clew instruments lost the context, and comes first', async () => {
    const { report } = await project.doctor('driver.mjs');
    assert.match(report.findings[0]?.fix.setup ?? '', /^node --import clew\/register .* of pg$/);
    const { stdout } = await project.clew('doctor', 'driver.mjs');
    assert.match(
      stdout,
      /\n {3}fix +node --import clew\/register [^]*\n {3}or +rule pg Pool#query/,
    );
  });

  it('is not given where another tracer is', async () => {
    const { report } = await project.doctor(
      '--require',
      './load-http.cjs',
      '--import',
      './tracing.mjs',
      'driver.mjs',
    );
    assert.equal(report.findings[0]?.handOver?.package, 'pg');
    assert.equal(report.findings[0].fix.setup, undefined);
  });

  it('is given for losses and for libraries that clew knows only', () => {
    const finding = (kind: Finding['kind'], module: string): Finding =>
      ({ kind, handOver: { by: 'package', package: module }, fix: { rules: [] } }) as never;
    const { findings } = advise({
      findings: [
        finding('mixed', 'pg-pool'),
        finding('lost', 'mysql2'),
        finding('stale', 'pg'),
        finding('lost', 'some-queue'),
        { ...finding('lost', ''), handOver: undefined } as never,
      ],
    } as unknown as Report);
    const library = /of (\w+)$/;
    assert.deepEqual(
      findings.map(({ fix }) => library.exec(fix.setup ?? '')?.[1]),
      ['pg', 'mysql2', undefined, undefined, undefined],
    );
  });
});
