import assert from 'node:assert/strict';

import { fixture, REGISTER_URL, runNode } from '../support/run-node.ts';

describe('pm2 with clew in NODE_OPTIONS', function () {
  this.timeout(120_000);

  for (const [file, isTraced] of [
    ['Daemon.js', false],
    ['ProcessContainerFork.js', true],
  ] as const) {
    it(`${isTraced ? 'traces' : 'does not trace'} ${file}`, async () => {
      const env = { NODE_OPTIONS: `--import ${REGISTER_URL}`, OTEL_TRACES_EXPORTER: 'none' };
      const { stdout, stderr } = await runNode([fixture(`pm2/lib/${file}`)], { env });
      assert.deepEqual([stdout, stderr], [`${isTraced}\n`, '']);
    });
  }
});
