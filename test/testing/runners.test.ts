import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { folderWith, run, type Ran } from '../preload/support.ts';
import { requireService } from '../support/services.ts';
import { cachedInstall } from '../support/user-cache.ts';

const TESTING = fileURLToPath(new URL('../../package/testing.js', import.meta.url));
/** That of this project. */
const MOCHA = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url));
const PACKAGES = ['vitest@4.1.12', 'jest@30.5.2', 'ioredis@6.0.0'];

/** One test for all runners: commands in a loop, and what the assertion about them says. */
const testWith = (imports: string): string => `${imports}
import { traceTest } from '${TESTING}';
import { loadNames } from './shop.mjs';
test('N+1', async () => {
  const trace = await traceTest('load', loadNames);
  trace.hasOneRoot('load').hasAtMostQueries(3).hasSpansInOrder(['load', /get/i]);
  let message = 'none';
  try {
    trace.hasNoRepeatedQuery();
  } catch (error) {
    message = error.message;
  }
  console.log('FOUND ' + message);
});\n`;

const FILES = {
  'package.json': '{ "private": true, "type": "module" }',
  'shop.mjs': `import { Redis } from 'ioredis';
export async function loadNames() {
  const redis = new Redis(process.env.REDIS_URL, { enableReadyCheck: false, disableClientInfo: true });
  for (const id of [1, 2]) {
    await redis.get('clew-test-runners-' + id);
  }
  await redis.quit();
}\n`,
  'node.test.mjs': testWith(`import { test } from 'node:test';`),
  'vi.test.mjs': testWith(`import { test } from 'vitest';`),
  'jest.test.mjs': testWith(''),
  'jest.fails.mjs': `
import { traceTest } from '${TESTING}';
test('another root', async () => {
  const trace = await traceTest('load', () => {});
  trace.hasOneRoot('another');
});\n`,
  // What docs/testing.md has for mocha.
  'mocha.test.mjs': testWith('const test = it;'),
  '.mocharc.yml': `node-option: ['import=${TESTING}']\nspec: mocha.test.mjs\n`,
  'jest.config.json': '{ "testMatch": ["**/jest.test.mjs"], "transform": {} }',
  // The package is external wherever it is installed; here it stands in no `node_modules`.
  'vitest.config.mjs': `export default {
  test: { include: ['vi.test.mjs'], server: { deps: { external: [/build\\/package/] } } },
};\n`,
};

const FOUND =
  /FOUND Expected no query more than once, found 2 times at \S*shop\.mjs:5:\d+: get clew-test-runners-\?\s+(?:at .*\s+)?load .*\s+├─ get/i;

describe('clew/testing in a test runner', function () {
  this.timeout(180_000);
  let folder: string;
  let remove: () => void;
  let modules: string;
  let env: Record<string, string>;

  before(async function () {
    env = { REDIS_URL: await requireService(this, 'redis') };
    modules = join(cachedInstall('test-runners-1', PACKAGES), 'node_modules');
    ({ folder, remove } = folderWith(FILES));
    symlinkSync(modules, join(folder, 'node_modules'));
  });
  after(() => remove?.());

  function runIn(args: readonly string[], options: string): Ran {
    return run(args, { cwd: folder, env: { ...env, NODE_OPTIONS: options } });
  }

  const preload = `--import ${TESTING}`;

  it('sees the queries of node:test', () => {
    const { stdout, stderr } = runIn(['--test', 'node.test.mjs'], preload);
    assert.match(plain(stdout), FOUND, stderr);
  });

  it('sees the queries of CommonJS packages where the preload was forgotten', () => {
    const { stdout, stderr } = runIn(['--test', 'node.test.mjs'], '');
    assert.match(plain(stdout), FOUND, stderr);
  });

  it('sees the queries of mocha, by the option in its configuration', () => {
    const { stdout, stderr } = runIn([MOCHA, '--no-color'], '');
    assert.match(plain(stdout), FOUND, stderr);
    assert.match(stdout, /1 passing/);
  });

  it('sees the queries of vitest, which imports packages by their URLs', () => {
    const { stdout, stderr } = runIn([join(modules, 'vitest/vitest.mjs'), 'run'], preload);
    assert.match(plain(stdout), FOUND, stderr);
  });

  it('sees the queries of jest, which loads modules by itself', () => {
    const args = [join(modules, 'jest/bin/jest.js'), '--config', 'jest.config.json'];
    const { stdout, stderr } = runIn(args, '--experimental-vm-modules');
    assert.match(plain(stdout), FOUND, stderr);
  });

  it('shows in jest the message of a failed assertion, and nothing else', () => {
    const config = JSON.stringify({
      rootDir: folder,
      testMatch: ['**/jest.fails.mjs'],
      transform: {},
    });
    const args = [join(modules, 'jest/bin/jest.js'), '--config', config];
    const { code, stderr } = runIn(args, '--experimental-vm-modules');
    assert.equal(code, 1);
    assert.match(stderr, /Expected the root `another`, found `load`\s+load .*jest\.fails\.mjs/);
    assert.doesNotMatch(stderr, /undefined|Difference/);
    // Before Node 24.9 jest cannot require ES modules, of which there is one line.
    for (const line of stderr.split('\n').filter((line) => line.startsWith('clew: '))) {
      assert.match(line, /^clew: in jest, .* only CommonJS packages have spans/);
    }
  });
});

/** Without what `node:test` puts before each line of an output. */
function plain(text: string): string {
  return text.replaceAll(/^# /gm, '');
}
