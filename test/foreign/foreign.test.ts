import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runNode, type Result } from '../support/run-node.ts';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const LINE = process.versions.node.split('.')[0] ?? '';

/** As they lie in a checkout of Node. */
const TESTS = {
  'test-events-same.js': `// Flags: --no-warnings --expose-gc
    if (typeof gc !== 'function') throw new Error('started without its flags');`,
  'test-events-listeners.js': `process.exitCode = process.listenerCount('beforeExit');`,
  'test-events-fails-bare.js': `process.exitCode = 1;`,
  'test-events-skips.js': `console.log('1..0 # Skipped: missing crypto');`,
  // Any preload is among the modules that are loaded before.
  'test-events-any-preload.js': `process.exitCode = Object.keys(require.cache).length - 1;`,
  'test-runner-run.mjs': `process.exitCode = process.listenerCount('beforeExit');`,
  'test-url-not-selected.js': `throw new Error('not selected');`,
};

describe('the tests of others', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'clew-test-'));
    const parallel = join(folder, `node-${LINE}`, 'test', 'parallel');
    mkdirSync(parallel, { recursive: true });
    for (const [name, source] of Object.entries(TESTS)) {
      writeFileSync(join(parallel, name), source);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const runForeign = (...args: string[]): Promise<Result> =>
    runNode([MAIN, '--node', LINE, ...args], { env: { FOREIGN: folder } });

  it('fails for a test that passes bare and fails under clew, and names each', async () => {
    const { code, stdout } = await runForeign('--verbose');
    const name = (file: string): string => `node-${LINE}/parallel/${file}`;
    assert.match(stdout, new RegExp(`^same: ${name('test-events-same.js')}`, 'm'));
    assert.match(stdout, new RegExp(`^fails bare: ${name('test-events-fails-bare.js')}$`, 'm'));
    assert.match(stdout, new RegExp(`^skips bare: ${name('test-events-skips.js')}$`, 'm'));
    for (const mode of ['--import', '--require']) {
      const differs = (how: string, file: string): RegExp =>
        new RegExp(`^${how}: ${name(file)} ${mode}`, 'm');
      assert.match(stdout, differs('DIFFERS', 'test-events-listeners.js'));
      assert.match(stdout, differs('differs under any preload', 'test-events-any-preload.js'));
      assert.match(stdout, differs('known', 'test-runner-run.mjs'));
    }
    assert.match(
      stdout,
      /^6 tests: 1 as without clew, 1 fail without clew, 1 skip .* 2 known differences, 2 unknown$/m,
    );
    assert.equal(code, 1);
  });

  it('passes where all that differs is known', async () => {
    const { code, stdout } = await runForeign('--grep', 'same|runner', '--preload', 'require');
    assert.match(stdout, /^2 tests: .* 1 known differences, 0 unknown$/m);
    assert.equal(code, 0);
  });

  it('prints a table of what passes bare, and goes on where a run was broken off', async () => {
    const events = ['--grep', 'test-events', '--jobs', '3'];
    const first = await runForeign(...events, '--preload', 'require');
    assert.match(first.stdout, /^\| Node, `events` +\| 3, 1 differ \|$/m);
    assert.match(first.stdout, /^\| all +\| 3, 1 differ \|$/m);
    // What was run is not run again: it would no longer differ.
    const listeners = join(folder, `node-${LINE}`, 'test', 'parallel', 'test-events-listeners.js');
    writeFileSync(listeners, '');
    const again = await runForeign(...events, '--preload', 'require', '--resume');
    // Several run at once, in no order.
    assert.deepEqual(linesOf(again.stdout), linesOf(first.stdout));
    const other = await runForeign(...events, '--preload', 'import', '--resume', '--verbose');
    assert.match(other.stdout, /^DIFFERS: .*test-events-listeners\.js --require/m);
    assert.doesNotMatch(other.stdout, /listeners\.js --import/);
    assert.match(other.stdout, /any preload: .*test-events-any-preload\.js --import/);
  });

  it('reports where it expects them where there are none', async () => {
    const missing = join(folder, 'missing');
    const { code, stdout } = await runNode([MAIN], { env: { FOREIGN: missing } });
    assert.ok(stdout.startsWith(`${missing}: no such folder.`), stdout);
    assert.equal(code, 0);
  });
});

function linesOf(text: string): string[] {
  return text.split('\n').toSorted();
}
