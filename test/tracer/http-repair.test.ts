import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

import { enableRules } from '../../src/instrumentation/rules/index.ts';
import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';
import { as, store } from '../instrumentation/wrap/support.ts';

describe('the tracer beside the repair of HTTP listeners', () => {
  for (const level of ['watch', 'trace'] as const) {
    it(`leaves 20 of 20 listeners their context at level ${level}`, async () => {
      const tracer = new AsyncResourceTracer().start(level);
      const undo = enableRules();
      const lost: string[] = [];
      const server = createServer((incoming, outgoing) => {
        const caller = incoming.url ?? '';
        as(caller, () => {
          incoming.resume().on('end', () => {
            if (store.getStore() !== caller) lost.push(caller);
            outgoing.end();
          });
        });
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const calls = Array.from({ length: 20 }, async (_each, index) => {
        const outgoing = request({ port, path: `/${index}`, method: 'POST' });
        outgoing.write('a part');
        setImmediate(() => outgoing.end('the rest'));
        const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
        response.resume();
        await once(response, 'end');
      });
      await Promise.all(calls);
      undo();
      tracer.stop();
      server.closeAllConnections();
      server.close();
      assert.deepEqual(lost, []);
    });
  }
});
