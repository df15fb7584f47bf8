import assert from 'node:assert/strict';

import { fixture } from '../support/run-node.ts';
import { PRELOADS, run } from './support.ts';

const APPLICATION = fixture('imports-all-clients.mjs');

describe('clew/register in an ES module that imports every client', function () {
  this.timeout(150_000);

  for (const [how, flags] of Object.entries(PRELOADS)) {
    it(`${how}: writes nothing`, () => {
      const ran = run([...flags, APPLICATION], {
        cwd: process.cwd(),
        timeoutMillis: 140_000,
      });
      assert.deepEqual(ran, { code: 0, stdout: 'ran, mysql patched\n', stderr: '' });
    });
  }
});
