import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { runNode } from '../support/run-node.ts';

const HOSTILE = fileURLToPath(new URL('./fixtures/hostile.js', import.meta.url));
const SCENES = [
  'deep recursion',
  'frozen resources',
  'a description that throws',
  'an exception inside callbacks',
  'a prepareStackTrace that throws',
  'a destroy that never comes',
  'worker threads',
];

describe('a tracer and a hostile application', function () {
  this.timeout(120_000);

  for (const scene of SCENES) {
    it(`go on together at every level: ${scene}`, async () => {
      for (const level of ['watch', 'trace', 'deep']) {
        const { code, stdout, stderr } = await runNode([HOSTILE, scene, level]);
        assert.equal(code, 0, `${level}: ${stderr}`);
        assert.match(stdout, new RegExp(`^level ${level}$`, 'm'));
        assert.match(stdout, /^alive/m);
        assert.equal(stderr, '', level);
      }
    });
  }

  it('go on together at every level: memory pressure', async () => {
    for (const level of ['watch', 'trace', 'deep']) {
      const args = ['--max-old-space-size=64', HOSTILE, 'memory pressure', level];
      const { code, stdout, stderr } = await runNode(args);
      assert.equal(code, 0, `${level}: ${stderr.slice(0, 500)}`);
      assert.match(stdout, new RegExp(`^level ${level}$`, 'm'));
    }
  });

  it('end together when the application exits inside a callback', async () => {
    for (const level of ['watch', 'trace', 'deep']) {
      const { code, stdout, stderr } = await runNode([HOSTILE, 'an exit inside a callback', level]);
      assert.deepEqual([code, stderr], [0, ''], level);
      assert.match(stdout, /^alive/m);
    }
  });
});
