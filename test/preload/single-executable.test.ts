import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { REGISTER_PATH, REGISTER_URL } from '../support/run-node.ts';
import { cachedInstall } from '../support/user-cache.ts';
import { folderWith } from './support.ts';

const APP = `const http = require('node:http');
const server = http.createServer((request, response) => response.end('ok'));
server.listen(0, '127.0.0.1', async () => {
  const answer = await fetch('http://127.0.0.1:' + server.address().port);
  console.log('answer ' + (await answer.text()));
  server.close();
});\n`;
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

describe('clew/register in a single executable', function () {
  this.timeout(240_000);
  let folder: string;
  let remove: () => void;
  let program: string;

  before(() => {
    ({ folder, remove } = folderWith({ 'app.cjs': APP }));
    program = join(folder, 'program');
    const config = { main: 'app.cjs', disableExperimentalSEAWarning: true };
    const node = (...args: string[]): string =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    const canBuild = node('--help').includes('--build-sea');
    const output = canBuild ? program : 'app.blob';
    writeFileSync(join(folder, 'sea.json'), JSON.stringify({ ...config, output }));
    if (canBuild) {
      node('--build-sea', 'sea.json');
      return;
    }
    const tools = cachedInstall('postject-1', ['postject@1.0.0-alpha.6']);
    node('--experimental-sea-config', 'sea.json');
    copyFileSync(process.execPath, program);
    const inject = join(tools, 'node_modules/postject/dist/cli.js');
    node(inject, program, 'NODE_SEA_BLOB', 'app.blob', '--sentinel-fuse', FUSE);
  });
  after(() => remove());

  function run(options: string): { stdout: string; stderr: string; status: number | null } {
    const env = {
      ...process.env,
      FORCE_COLOR: '0',
      NODE_OPTIONS: options,
      OTEL_TRACES_EXPORTER: 'console',
    };
    return spawnSync(program, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
  }

  it('makes spans with --require in NODE_OPTIONS', () => {
    const { stdout, stderr, status } = run(`--require ${REGISTER_PATH}`);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^answer ok$/m);
    assert.match(stdout, /name: 'clew\/http'/);
    assert.match(stdout, /name: 'clew\/undici'/);
    assert.equal(stderr, '');
  });

  it('runs as without it with --import, which Node ignores there', () => {
    const { stdout, stderr, status } = run(`--import ${REGISTER_URL}`);
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'answer ok\n', stderr: '', status: 0 });
  });
});
