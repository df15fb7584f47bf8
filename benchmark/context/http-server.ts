import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createContextKey, ROOT_CONTEXT, type ContextManager } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/index.ts';
import type { BenchmarkCase, Prepared } from '../harness/group.ts';
import { makeManager, MANAGERS } from '../harness/managers.ts';

const LOAD = fileURLToPath(new URL('../harness/load.js', import.meta.url));
const KEY = createContextKey('request');

/** A server in this process with a context per request, and its load from another process. */
async function serve(manager: ContextManager, expectsContext: boolean): Promise<Prepared> {
  let wrong = 0;
  const work = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const context = manager.active();
    let size = 0;
    for await (const chunk of request) size += (chunk as Buffer).length;
    for (let step = 0; step < 5; step += 1) await immediate();
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (manager.active() !== context) wrong += 1;
    if (expectsContext && manager.active() === ROOT_CONTEXT) wrong += 1;
    response.end(JSON.stringify({ size }));
  };
  const server = createServer((request, response) => {
    const context = ROOT_CONTEXT.setValue(KEY, request);
    // What OpenTelemetry's HTTP instrumentation does for each request.
    manager.bind(context, request);
    manager.bind(context, response);
    response.once('finish', () => manager.active());
    void manager.with(context, () => work(request, response));
  }).listen(0, '127.0.0.1');
  // The connections wait for their turn, however long the others take.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const load = fork(LOAD);
  await once(load, 'message');
  const requests = async (count: number): Promise<number> => {
    const before = process.cpuUsage();
    load.send({ port, count });
    await once(load, 'message');
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  return {
    preflight: async () => {
      await requests(50);
      assert.equal(wrong, 0);
    },
    run: requests,
    // Few of them are at the mercy of when the collector comes.
    count: 1000,
    close: () => {
      load.disconnect();
      server.closeAllConnections();
      server.close();
      assert.equal(wrong, 0);
    },
  };
}

/** An HTTP server with a context per request: CPU of the server's process per request. */
export const HTTP_SERVER: BenchmarkCase = {
  name: 'HTTP server',
  unit: 'us CPU',
  variants: [...MANAGERS, 'clew-registration', 'clew-add-on'],
  prepare: (variant) =>
    serve(
      variant === 'clew-registration'
        ? new AsyncHooksContextManager({ listeners: 'registration' }).enable()
        : makeManager(variant),
      variant !== 'none',
    ),
};
