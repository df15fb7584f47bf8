import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';

import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import { repairGlobals } from '../../../src/instrumentation/rules/globals.ts';

const NAME = createContextKey('name');
const active = (): unknown => context.active().getValue(NAME);
const as = <T>(name: string, fn: () => T): T => context.with(ROOT_CONTEXT.setValue(NAME, name), fn);

describe('servers under the rule for node:net', () => {
  let undo: () => void;
  let servers: Server[];

  beforeEach(() => {
    servers = [];
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
    undo = repairGlobals([]);
  });
  afterEach(() => {
    for (const server of servers) server.close();
    undo();
  });
  const made = <T extends Server>(server: T): T => {
    servers.push(server);
    return server;
  };

  it('call who starts or closes them back in their own context', async () => {
    const seen: Record<string, unknown> = {};
    const note = (what: string) => () => void (seen[what] = active());
    const server = made(createServer());
    await as('starter', async () => {
      server.listen(0, '127.0.0.1', note('listen'));
      server.once('listening', note('listening'));
      await once(server, 'listening');
      note('await')();
    });
    const { port } = server.address() as AddressInfo;
    const second = made(createServer());
    await as('second', async () => {
      second.once('error', note('error')).listen(port, '127.0.0.1');
      await once(second, 'error').catch(note('failed'));
    });
    await as(
      'closer',
      () =>
        new Promise<void>((resolve) =>
          server.close(() => {
            note('close')();
            resolve();
          }),
        ),
    );
    assert.deepEqual(seen, {
      listen: 'starter',
      listening: 'starter',
      await: 'starter',
      error: 'second',
      close: 'closer',
    });
  });

  it('serve requests in no context of who started them', async () => {
    const seen: unknown[] = [];
    const server = made(
      createHttpServer((_, response) => {
        seen.push(active());
        response.end();
      }),
    );
    await as('starter', () => new Promise<void>((resolve) => server.listen(0, resolve)));
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(request({ port }).end(), 'response')) as [NodeJS.ReadableStream];
    await once(response.resume(), 'end');
    assert.deepEqual(seen, [undefined]);
  });

  it('leave listeners of start-up and the lists of listeners as they are', async () => {
    const server = made(createServer());
    let seen: unknown = 'none';
    const listener = (): void => void (seen = active());
    server.on('listening', listener);
    const own = (): void => undefined;
    as('starter', () => server.on('close', own).listen(0));
    assert.deepEqual(server.listeners('close'), [own]);
    await once(server, 'listening');
    assert.equal(seen, undefined);
    server.off('close', own);
    assert.equal(server.listenerCount('close'), 0);
  });
});
