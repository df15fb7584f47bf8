import assert from 'node:assert/strict';

import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { fixture, REGISTER_URL, RunningNode } from '../../support/run-node.ts';

describe('a worker thread that is terminated', function () {
  this.timeout(120_000);

  it('has handed on its spans soon after their ends, without a message', async () => {
    const receiver = await new OtlpReceiver().listen();
    const app = new RunningNode(['--import', REGISTER_URL, fixture('processes/terminated.mjs')], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '60000' },
    });
    try {
      await receiver.waitUntil(() => receiver.spans.length > 0);
      assert.equal(receiver.spans[0]?.name, 'work');
    } finally {
      app.child.kill('SIGKILL');
      await app.result();
      await receiver.close();
    }
  });
});
