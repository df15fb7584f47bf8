import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ExportWatch } from '../../src/diagnosis/collector/export-watch.ts';

describe('ExportWatch', () => {
  it('counts an export that ran out of time, whose error has a number for its code', async () => {
    const controller = new AbortController();
    const late = new DOMException('it took too long', 'TimeoutError');
    const server = createServer(() => controller.abort(late));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const watch = new ExportWatch();
    watch.start();
    try {
      const { signal } = controller;
      const url = `http://127.0.0.1:${port}/v1/traces`;
      await assert.rejects(fetch(url, { method: 'POST', body: '{}', signal }), { code: 23 });
      const [target] = watch.targets;
      assert.equal(target?.failed, 1);
      assert.match(target.reason, /it took too long/);
    } finally {
      watch.stop();
      server.closeAllConnections();
      server.close();
    }
  });
});
