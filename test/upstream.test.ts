import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import Module from 'node:module';
import { fileURLToPath } from 'node:url';

import { hasAsyncContextFrame } from '../src/async/runtime.ts';
import { skipSuite } from './support/services.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return stdout + stderr;
}

/* Where one of these fails, others have mended their fault: its page and our way around it can go. */
describe('a fault of others in docs/upstream/', () => {
  it('is still there: the store that stays behind an exception out of process.nextTick', () => {
    const seen = hasAsyncContextFrame ? 'the store of the callback that threw' : 'undefined';
    assert.equal(run('docs/upstream/next-tick-frame.cjs'), `a later connection sees: ${seen}\n`);
  });

  it('is still there: import-in-the-middle under --require and -e', function () {
    if (!('registerHooks' in Module)) skipSuite(this, 'import-in-the-middle: no synchronous hooks');
    const program = ['--require', './docs/upstream/iitm-require.cjs'];
    assert.match(run(...program, '-e', 'console.log("ran")'), /ENOENT.*open 'module'/);
    assert.equal(run(...program, 'docs/upstream/iitm-require.cjs'), '');
  });
});
