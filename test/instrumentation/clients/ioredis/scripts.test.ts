import assert from 'node:assert/strict';

import { PROGRAMS } from '../../../support/modules.ts';
import { REGISTER_PATH, runNode } from '../../../support/run-node.ts';
import { requireService } from '../../../support/services.ts';

/** Three callers of a script that fails, by callbacks or by promises; prints who heard of it. */
const PROGRAM = `
  const Redis = require('ioredis');
  const redis = new Redis(process.argv[1]);
  redis.defineCommand('failing', { numberOfKeys: 0, lua: "return redis.call('no such command')" });
  const heard = { callbacks: 0, promises: 0, unhandled: 0 };
  process.on('unhandledRejection', () => heard.unhandled++);
  const byCallback = () => new Promise((resolve) => {
    redis.failing((error) => resolve(error && heard.callbacks++));
  });
  const byPromise = () => redis.failing().catch(() => heard.promises++);
  const calls = [byCallback, byCallback, byCallback, byPromise].map((call) => call());
  redis.failing();
  Promise.all(calls)
    .then(() => new Promise((resolve) => setTimeout(resolve, 50)))
    .then(() => { console.log(JSON.stringify(heard)); redis.disconnect(); });
`;

describe('ioredis scripts that fail', function () {
  this.timeout(120_000);

  it('reject unhandled where it is not handled, and nowhere else', async function () {
    const url = await requireService(this, 'redis');
    const options = {
      cwd: PROGRAMS,
      env: { OTEL_TRACES_EXPORTER: 'none' },
    };
    const bare = await runNode(['-e', PROGRAM, url], options);
    const { stdout, stderr } = await runNode(
      ['--require', REGISTER_PATH, '-e', PROGRAM, url],
      options,
    );
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), { callbacks: 3, promises: 1, unhandled: 1 });
    assert.equal(stdout, bare.stdout);
  });
});
