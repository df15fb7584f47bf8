import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildSync } from 'esbuild';

import type { Finding, Report } from '../../src/diagnosis/finding.ts';
import { packagesInside } from '../../src/diagnosis/collector/bundle.ts';
import { Project } from './project.ts';
import { MODULES } from '../support/modules.ts';
import { serving } from './support.ts';

const API = join(MODULES, '@opentelemetry/api');
const setups = ({ findings }: Report): Finding[] => findings.filter(({ kind }) => kind === 'setup');
const linesOf = (report: Report): string[] => setups(report).map(({ summary }) => summary);

describe('clew doctor finds a fault of the set-up:', function () {
  this.timeout(120_000);
  let project: Project;

  beforeEach(() => {
    project = new Project({ fixtures: 'diagnosis-setup' });
  });
  afterEach(() => project.remove());

  /** The only finding of a run, and its status. */
  async function only(...args: string[]): Promise<Finding> {
    const { report, result } = await project.doctor(...args);
    const [finding, ...more] = setups(report);
    assert.deepEqual(more, [], linesOf(report).join('\n'));
    assert.ok(finding, result.stderr);
    assert.equal(result.code, 1);
    return finding;
  }

  it('none where everything is in order', async () => {
    const { report, result } = await project.doctor('healthy.cjs');
    assert.deepEqual(linesOf(report), []);
    assert.equal(result.code, 0, result.stderr);
    const preloaded = await project.doctor('--require', './tracing.cjs', 'app.cjs');
    assert.deepEqual(linesOf(preloaded.report), []);
  });

  it('a module that was loaded before its instrumentation, and the line that came too late', async () => {
    const finding = await only('early.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-LOADED-EARLY');
    assert.equal(finding.certainty, 'likely');
    assert.match(finding.summary, /pg was loaded before @opentelemetry\/instrumentation-pg/);
    assert.equal(finding.yourLine?.line, project.line('tracing.cjs', 'early: instruments'));
  });

  it('none in what only a tracer has loaded before', async () => {
    mkdirSync(project.path('node_modules/dd-trace'));
    writeFileSync(project.path('node_modules/dd-trace/index.js'), "require('pg');");
    const early = "require('dd-trace');\nrequire('./tracing.cjs');\n";
    writeFileSync(project.path('tool.cjs'), early);
    const { report } = await project.doctor('tool.cjs');
    assert.deepEqual(linesOf(report), []);
  });

  it('a second provider, which is refused without a word', async () => {
    const finding = await only('second.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-SECOND-PROVIDER');
    assert.equal(finding.certainty, 'proven');
    assert.match(finding.summary, /a tracer provider was refused/);
    assert.equal(finding.yourLine?.line, project.line('tracing.cjs', 'second: registers'));
  });

  it('a copy of the API whose spans go nowhere', async () => {
    const copy = project.path('node_modules/copy-user/node_modules/@opentelemetry/api');
    cpSync(API, copy, { recursive: true, dereference: true });
    const { version } = JSON.parse(readFileSync(`${copy}/package.json`, 'utf8')) as {
      version: string;
    };
    for (const file of ['package.json', 'build/src/version.js']) {
      const text = readFileSync(`${copy}/${file}`, 'utf8');
      writeFileSync(`${copy}/${file}`, text.replace(version, '1.99.0'));
    }
    const finding = await only('copies.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-API-COPIES');
    assert.equal(finding.certainty, 'proven');
    assert.match(finding.summary, /1\.99\.0/);
    assert.match(finding.summary, /copy-user/);
  });

  it('no copy of the API that works', async () => {
    const copy = project.path('node_modules/copy-user/node_modules/@opentelemetry/api');
    cpSync(API, copy, { recursive: true, dereference: true });
    const { report } = await project.doctor('copies.cjs');
    assert.deepEqual(linesOf(report), []);
  });

  it('imports that no hook sees', async () => {
    const finding = await only('--require', './tracing.cjs', 'imports.mjs');
    assert.equal(finding.name, 'CLEW-SETUP-ESM-HOOK');
    assert.equal(finding.certainty, 'likely');
    assert.match(finding.summary, /imports of pg bypass/);
  });

  it('none where the hook for imports is there', async () => {
    writeFileSync(
      project.path('hook.mjs'),
      "import { register } from 'node:module';\n" +
        "register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);\n",
    );
    const preloads = ['--require', './tracing.cjs', '--import', './hook.mjs'];
    const { report } = await project.doctor(...preloads, 'imports.mjs');
    assert.deepEqual(linesOf(report), []);
  });

  it('a collector that is none', async () => {
    const [server, to] = await serving((_req, res) => res.end());
    await new Promise((resolve) => server.close(resolve));
    project.env['TO'] = to;
    const finding = await only('exports.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-NO-COLLECTOR');
    assert.equal(finding.certainty, 'proven');
    assert.ok(finding.summary.includes(`${to}: ECONNREFUSED`), finding.summary);
  });

  for (const [what, type, status, reason] of [
    ['a collector that refuses', 'application/json', 404, /status 404/],
    ['something else in its place', 'text/html; charset=utf-8', 200, /a page of HTML/],
  ] as const) {
    it(what, async () => {
      const [server, to] = await serving((_req, res) =>
        res.writeHead(status, { 'content-type': type }).end('{}'),
      );
      project.env['TO'] = `${to}?key=secret`;
      const finding = await only('exports.cjs');
      server.close();
      assert.equal(finding.name, 'CLEW-SETUP-EXPORT-FAILS');
      assert.match(finding.summary, reason);
      assert.doesNotMatch(JSON.stringify(finding), /secret/);
    });
  }

  it('an export of spans that fails and no export of metrics or logs', async () => {
    project.env['TO'] = '';
    for (const failed of ['metrics', 'logs', 'traces']) {
      project.env['FAILED'] = failed;
      const { report } = await project.doctor('metrics.cjs');
      const names = report.findings.map(({ name }) => name);
      assert.deepEqual(names, failed === 'traces' ? ['CLEW-SETUP-NO-COLLECTOR'] : [], failed);
    }
  });

  it('none in a collector that accepts', async () => {
    const [server, to] = await serving((_req, res) => res.end('{}'));
    project.env['TO'] = to;
    const { report } = await project.doctor('exports.cjs');
    server.close();
    assert.deepEqual(linesOf(report), []);
  });

  for (const minify of [false, true]) {
    it(`a library inside of a bundle${minify ? ', by its source map' : ''}`, async () => {
      buildSync({
        absWorkingDir: project.folder,
        entryPoints: ['app.cjs'],
        outfile: 'out.cjs',
        bundle: true,
        platform: 'node',
        minify,
        sourcemap: minify,
      });
      const finding = await only('--require', './tracing.cjs', 'out.cjs');
      assert.equal(finding.name, 'CLEW-SETUP-BUNDLED');
      assert.match(finding.summary, /out\.cjs is a bundle with pg inside/);
    });
  }

  it('a library inside of a bundle, from wherever its folder is', () => {
    const inside = [
      '// node_modules/pg/lib/index.js',
      '// ../../node_modules/@scope/hoisted/index.js',
      '  "../node_modules/.pnpm/redis@5.0.0/node_modules/redis/dist/index.js"(exports) {',
      '// see /opt node_modules/spoken/of',
    ];
    writeFileSync(project.path('out.cjs'), inside.join('\n'));
    assert.deepEqual(
      [...packagesInside(project.path('out.cjs'))],
      ['pg', '@scope/hoisted', 'redis'],
    );
  });

  it('a version of a library that no instrumentation takes', async () => {
    const file = project.path('node_modules/pg/package.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('8.11.0', '4.0.0'));
    const finding = await only('healthy.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-VERSION');
    assert.match(
      finding.summary,
      /pg 4\.0\.0 does not fit: @opentelemetry\/instrumentation-pg takes >=8/,
    );
  });

  it('a version of the API that may not register what it wants to', async () => {
    const copy = project.path('node_modules/copy-user/node_modules/@opentelemetry/api');
    cpSync(API, copy, { recursive: true, dereference: true });
    const version = `${copy}/build/src/version.js`;
    writeFileSync(version, readFileSync(version, 'utf8').replace(/\d+\.\d+\.\d+/, '1.9.99'));
    writeFileSync(
      project.path('node_modules/copy-user/index.js'),
      "require('@opentelemetry/api').propagation.setGlobalPropagator({ fields: () => [] });\n",
    );
    writeFileSync(
      project.path('mismatch.cjs'),
      "require('./tracing.cjs');\nrequire('copy-user');\n",
    );
    const finding = await only('mismatch.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-VERSION');
    assert.equal(finding.certainty, 'proven');
    assert.match(finding.summary, /@opentelemetry\/api 1\.9\.99 does not fit/);
  });

  it('and leaves a logger of the application as it was', async () => {
    writeFileSync(
      project.path('logger.cjs'),
      `const { diag, DiagLogLevel } = require('@opentelemetry/api');
       const log = (...args) => console.log(args.join(' ').split('\\n')[0]);
       diag.error('before');
       diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel.WARN);
       diag.warn('heard');
       diag.info('too quiet');
       require('./second.cjs');
       diag.disable();
       diag.error('after');`,
    );
    const result = await project.clew('doctor', 'logger.cjs');
    const bare = await project.node('logger.cjs');
    assert.ok(result.stdout.startsWith(bare.stdout), result.stdout);
    assert.match(bare.stdout, /^heard\n.*Attempted duplicate registration/);
    assert.match(result.stdout, /a tracer provider was refused/);
  });
});
