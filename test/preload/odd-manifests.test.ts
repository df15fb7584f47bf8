import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { REGISTER_URL, runNode, type Result } from '../support/run-node.ts';

describe('the manifest of an instrumented library', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-odd-'));
    mkdirSync(join(folder, 'node_modules/pg'), { recursive: true });
    const library = 'exports.Client = class { connect() {} query() {} };';
    writeFileSync(join(folder, 'node_modules/pg/index.js'), library);
    writeFileSync(join(folder, 'app.mjs'), "import pg from 'pg'; console.log(typeof pg.Client);");
    writeFileSync(join(folder, 'app.cjs'), "console.log(typeof require('pg').Client);");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(app: string, manifest: string, preload = true): Promise<Result> {
    writeFileSync(join(folder, 'node_modules/pg/package.json'), manifest);
    return runNode([...(preload ? ['--import', REGISTER_URL] : []), app], {
      env: { OTEL_TRACES_EXPORTER: 'none' },
      cwd: folder,
    });
  }

  const withoutVersion = [
    { name: 'pg', version: 8 },
    { name: 'pg', version: { major: 8 } },
    { name: 'pg', version: null },
    { name: 'pg', version: '' },
    { name: 'pg' },
  ].map((manifest) => JSON.stringify(manifest));

  for (const app of ['app.mjs', 'app.cjs']) {
    for (const manifest of withoutVersion) {
      it(`is ${manifest}: ${app} runs and the line names no version`, async () => {
        const { code, stdout, stderr } = await run(app, manifest);
        assert.deepEqual([code, stdout], [0, 'function\n'], stderr);
        assert.match(stderr, /^clew: pg is not instrumented: there is no version in \S+\n$/);
      });
    }

    for (const manifest of ['{"main":false}', '{"main":["x"],"exports":null}', '{"exports":[]}']) {
      it(`is ${manifest} with a version: ${app} ends as without clew`, async () => {
        const whole = manifest.replace('{', '{"version":"8.23.1",');
        const [bare, preloaded] = [await run(app, whole, false), await run(app, whole)];
        assert.deepEqual([preloaded.code, preloaded.stdout], [bare.code, bare.stdout]);
      });
    }
  }

  it('begins with a byte-order mark: its version is known', async () => {
    const { code, stderr } = await run('app.mjs', '\uFEFF{"name":"pg","version":"7.0.0"}');
    assert.equal(code, 0);
    assert.match(stderr, /^clew: pg 7\.0\.0 is not instrumented/);
  });
});
