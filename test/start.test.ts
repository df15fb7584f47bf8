import assert from 'node:assert/strict';

import { OtlpReceiver } from './support/otlp-receiver.ts';
import { fixture, runNode } from './support/run-node.ts';

describe('start', function () {
  this.timeout(120_000);

  it('registers everything, takes further instrumentations, and shutdown gives it all back', async () => {
    const receiver = await new OtlpReceiver().listen();
    try {
      const result = await runNode([fixture('start.mjs')], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      });
      assert.equal(result.code, 0, result.stderr);
      const [running, stopped] = result.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(running, {
        calls: ['provider function', 'enable'],
        same: true,
        active: 1,
        levels: ['off', 'watch'],
        problems: [],
      });
      assert.deepEqual(stopped, {
        calls: ['provider function', 'enable', 'disable'],
        after: null,
        level: 'off',
      });
      assert.equal(
        result.stderr,
        'clew: start() was called twice; the second call has no effect.\n',
      );
      const [span] = receiver.spans;
      assert.deepEqual([span?.name, span?.resource['service.name']], ['work', 'started']);
    } finally {
      await receiver.close();
    }
  });

  it('holds the channels that it makes, of which garbage would delay finalization callbacks', async () => {
    const { stdout, stderr } = await runNode(['--expose-gc', fixture('held-channels.cjs')]);
    assert.equal(stdout, 'true \n', stderr);
  });

  it('leaves everything as it was once it is shut down, twice', async () => {
    const result = await runNode([fixture('shutdown.mjs')], {
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
    assert.equal(result.stdout, 'all as before\n', result.stderr);
    assert.equal(result.code, 0);
  });
});
