import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { buildSync } from 'esbuild';

import type { Finding } from '../../src/diagnosis/finding.ts';
import { skipSuite } from '../support/services.ts';
import { Project } from './project.ts';
import { MODULES } from '../support/modules.ts';
import { serving } from './support.ts';

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => resolve(true));
    socket.on('error', () => resolve(false)).unref();
    socket.on('connect', () => socket.destroy());
  });
const REGISTER = ['--import', new URL('../../src/register.js', import.meta.url).href];

describe("clew doctor beside clew's own set-up finds", function () {
  this.timeout(120_000);
  let project: Project;

  beforeEach(() => {
    project = new Project({ fixtures: 'diagnosis-setup', env: { OTEL_TRACES_EXPORTER: 'none' } });
  });
  afterEach(() => project.remove());

  async function found(...args: string[]): Promise<Finding[]> {
    const { report } = await project.doctor(...args);
    return report.findings.filter(({ kind }) => kind === 'setup');
  }

  async function only(...args: string[]): Promise<Finding> {
    const [finding, ...more] = await found(...args);
    assert.ok(finding);
    assert.deepEqual(more, []);
    return finding;
  }

  /** Spans go to `to`, from an application that ends at once. */
  async function exporting(to: string): Promise<Finding[]> {
    project.env['OTEL_TRACES_EXPORTER'] = 'otlp';
    project.env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] = to;
    const span = "require('@opentelemetry/api').trace.getTracer('app').startSpan('work').end();";
    writeFileSync(project.path('span.cjs'), span);
    return found(...REGISTER, 'span.cjs');
  }

  it('nothing where everything is in order, required or imported or loaded before', async () => {
    assert.deepEqual(await found(...REGISTER, 'app.cjs'), []);
    assert.deepEqual(await found(...REGISTER, 'imports.mjs'), []);
    assert.deepEqual(await found('--require', './app.cjs', ...REGISTER, 'app.cjs'), []);
  });

  it('a library inside of a bundle', async () => {
    buildSync({
      absWorkingDir: project.folder,
      entryPoints: ['app.cjs'],
      outfile: 'out.cjs',
      bundle: true,
      platform: 'node',
    });
    const finding = await only(...REGISTER, 'out.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-BUNDLED');
    assert.match(finding.summary, /out\.cjs is a bundle with pg inside/);
  });

  it('a version that does not fit', async () => {
    const file = project.path('node_modules/pg/package.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('8.11.0', '4.0.0'));
    const finding = await only(...REGISTER, 'app.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-VERSION');
    assert.match(finding.summary, /pg 4\.0\.0 does not fit: clew\/pg takes >=8\.0\.3 <9$/);
  });

  it('a module that had to be replaced and was loaded before', async () => {
    cpSync(join(MODULES, 'postgres'), project.path('node_modules/postgres'), {
      recursive: true,
      dereference: true,
    });
    writeFileSync(project.path('first.cjs'), "require('postgres');");
    const finding = await only('--require', './first.cjs', ...REGISTER, 'app.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-LOADED-EARLY');
    assert.match(finding.summary, /postgres was loaded before clew\/postgres/);
  });

  it('a provider of the application that is refused, and its line', async () => {
    const refused = `
      const { BasicTracerProvider } = require('@opentelemetry/sdk-trace-base');
      require('@opentelemetry/api').trace.setGlobalTracerProvider(new BasicTracerProvider()); // refused`;
    writeFileSync(project.path('own.cjs'), refused);
    project.env['OTEL_TRACES_EXPORTER'] = 'console';
    const finding = await only(...REGISTER, 'own.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-SECOND-PROVIDER');
    assert.equal(finding.yourLine?.line, project.line('own.cjs', '// refused'));
  });

  it('a copy of the API whose spans go nowhere', async () => {
    const copy = project.path('node_modules/copy-user/node_modules/@opentelemetry/api');
    mkdirSync(join(copy, '..'), { recursive: true });
    cpSync(join(MODULES, '@opentelemetry/api'), copy, { recursive: true, dereference: true });
    for (const file of ['package.json', 'build/src/version.js']) {
      const text = readFileSync(`${copy}/${file}`, 'utf8');
      writeFileSync(
        `${copy}/${file}`,
        text.replace(/(["'])1\.\d+\.\d+\1/, "'1.99.0'".replaceAll("'", '"')),
      );
    }
    writeFileSync(project.path('copy.cjs'), "require('copy-user').work();");
    const finding = await only(...REGISTER, 'copy.cjs');
    assert.equal(finding.name, 'CLEW-SETUP-API-COPIES');
    assert.match(finding.summary, /1\.99\.0.*copy-user/);
  });

  it('a collector that is none, also where that shows as the process ends', async () => {
    const [server, to] = await serving((_req, res) => res.end());
    await new Promise((resolve) => server.close(resolve));
    const [finding, ...more] = await exporting(`${to}?key=secret`);
    assert.deepEqual(more, []);
    assert.equal(finding?.name, 'CLEW-SETUP-NO-COLLECTOR');
    assert.ok(finding.summary.endsWith(`${to}: connection refused`), finding.summary);
  });

  it('no fault for sure where nothing answers at the default address and none is configured', async function () {
    if (await isListening(4318)) skipSuite(this, 'port 4318 has a listener');
    const span = "require('@opentelemetry/api').trace.getTracer('app').startSpan('work').end();";
    writeFileSync(project.path('span.cjs'), span);
    const codes: (number | null)[] = [];
    for (const exporter of ['', 'otlp']) {
      project.env['OTEL_TRACES_EXPORTER'] = exporter;
      const { report, result } = await project.doctor(...REGISTER, 'span.cjs');
      const { findings } = report;
      assert.deepEqual(
        findings.map(({ name, certainty }) => `${name} ${certainty}`),
        [`CLEW-SETUP-NO-COLLECTOR ${exporter ? 'proven' : 'possible'}`],
      );
      codes.push(result.code);
    }
    assert.deepEqual(codes, [0, 1]);
    project.env['OTEL_TRACES_EXPORTER'] = '';
    const strict = await project.clew('doctor', '--strict', ...REGISTER, 'span.cjs');
    assert.equal(strict.code, 1, strict.stdout);
    const text = await project.clew('doctor', ...REGISTER, 'span.cjs');
    assert.match(
      text.stdout,
      /\nno context was lost\n\nnot sure, and not counted [^\n]*\n1 {2}CLEW-SETUP-NO-COLLECTOR/,
    );
  });

  it('a collector that refuses, and none in one that accepts', async () => {
    const status = { code: 404 };
    const [server, to] = await serving((_req, res) => {
      res.writeHead(status.code, { 'content-type': 'application/json' }).end('{}');
    });
    const [finding] = await exporting(to);
    status.code = 200;
    const accepted = await exporting(to);
    server.close();
    assert.equal(finding?.name, 'CLEW-SETUP-EXPORT-FAILS');
    assert.match(finding.summary, /it answered 404/);
    assert.deepEqual(accepted, []);
  });
});
