import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { hasAsyncContextFrame } from '../../src/async/runtime.ts';
import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import type { AsyncHooksContextManagerOptions } from '../../src/context/options.ts';
import { STORES } from './contract/managers.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

for (const store of STORES) {
  // Where only the public API is used, adoption needs to be told of servers that begin to listen,
  // and the Nodes without frames do not tell.
  const canAdopt = store === 'hook' || hasAsyncContextFrame;

  describe(`causality of the ${store} store`, () => {
    let manager: AsyncHooksContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);
    const start = (causality?: AsyncHooksContextManagerOptions['causality']): void => {
      manager = new AsyncHooksContextManager({ store, ...(causality && { causality }) }).enable();
    };

    afterEach(() => {
      manager.disable();
    });

    /** A server made in `context`, and what it sees of one connection and one more. */
    async function observe(
      context: Context | undefined,
      address: () => string | 0 = () => 0,
    ): Promise<unknown[][]> {
      const seen: unknown[][] = [];
      const listen = (): Server =>
        createServer((socket) => {
          const connection: unknown[] = [nameOf()];
          seen.push(connection);
          for (const event of ['data', 'end', 'close'] as const) {
            socket.once(event, () => connection.push(nameOf()));
          }
        }).listen(address());
      const server = context ? manager.with(context, listen) : listen();
      await once(server, 'listening');
      for (let turn = 0; turn < 2; turn += 1) {
        await manager.with(named('client'), async () => {
          const bound = server.address() as AddressInfo | string;
          const client = typeof bound === 'string' ? connect(bound) : connect(bound.port);
          client.resume().end('x');
          await once(client, 'close');
        });
      }
      server.close();
      await once(server, 'close');
      return seen;
    }

    const ofServer = Array.from({ length: 4 }, () => 'server');
    const pipe = (): string =>
      join(tmpdir(), `clew-${process.pid}-${Math.random().toString(36).slice(2)}`);

    if (canAdopt) {
      it('gives the sockets of a TCP server the context of their server', async () => {
        start();
        assert.deepEqual(await observe(named('server')), [ofServer, ofServer]);
      });

      it('gives the sockets of a pipe server the context of their server', async () => {
        start('execution-then-trigger');
        assert.deepEqual(await observe(named('server'), pipe), [ofServer, ofServer]);
      });
    }

    it('leaves the sockets without a context under `execution`, but for the first event', async () => {
      start('execution');
      const connection = ['server', undefined, undefined, undefined];
      assert.deepEqual(await observe(named('server')), [connection, connection]);
    });

    it('gives the sockets of a server made under no context none', async () => {
      start();
      await manager.with(named('finished'), () => delay(1));
      const nothing = Array.from({ length: 4 }, () => undefined);
      assert.deepEqual(await observe(undefined), [nothing, nothing]);
    });

    it('forgets the server with the manager', async () => {
      start();
      const server = manager.with(named('server'), () => createServer().listen(0));
      await once(server, 'listening');
      manager.disable();
      manager.enable();
      let seen: unknown = 'not called';
      server.on('connection', (socket) => {
        socket.on('data', () => {
          seen = nameOf();
          socket.end();
        });
      });
      const client = connect((server.address() as AddressInfo).port);
      client.resume().write('x');
      await once(client, 'close');
      assert.equal(seen, undefined);
      server.close();
    });

    it('carries nothing from one keep-alive request to the next', async () => {
      start();
      const seen: unknown[] = [];
      const server = createHttpServer((incoming, response) => {
        seen.push(nameOf());
        manager.with(named(incoming.url ?? ''), () => {
          incoming.resume();
          setImmediate(() => {
            seen.push(nameOf());
            response.end('x');
          });
        });
      }).listen(0);
      await once(server, 'listening');
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const { port } = server.address() as AddressInfo;
      const get = (path: string): Promise<unknown> =>
        manager.with(named(`client ${path}`), async () => {
          const [response] = (await once(
            request({ port, path, agent }).end(),
            'response',
          )) as NodeJS.ReadableStream[];
          await once(response?.resume() as never, 'end');
          return nameOf();
        });
      assert.deepEqual(await Promise.all(['/a', '/b', '/c'].map(get)), [
        'client /a',
        'client /b',
        'client /c',
      ]);
      assert.deepEqual(seen, [undefined, '/a', undefined, '/b', undefined, '/c']);
      agent.destroy();
      server.close();
    });
  });
}

describe('options of the context manager', () => {
  for (const option of ['store', 'causality', 'listeners'] as const) {
    it(`rejects a \`${option}\` it does not know`, () => {
      assert.throws(
        () => new AsyncHooksContextManager({ [option]: 'nonsense' }),
        (error: NodeJS.ErrnoException) =>
          error.code === 'ERR_OPTION' && error.message.includes(`\`${option}\``),
      );
    });
  }
});
