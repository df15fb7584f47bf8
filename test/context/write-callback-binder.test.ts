import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { OutgoingMessage, ServerResponse } from 'node:http';
import { connect, createServer, Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, Interface } from 'node:readline';
import { Duplex, PassThrough, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { createDeflate, createGzip, Gzip } from 'node:zlib';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { STORES } from './contract/managers.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

/** A stream on which nothing goes on until it is told to: who tells it has a context of their own. */
class Held extends Writable {
  #done: (() => void) | undefined;

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    this.#done = done;
  }

  release(): void {
    this.#done?.();
  }
}

for (const store of STORES) {
  describe(`callbacks of queued writes, ${store} store`, () => {
    let manager: AsyncHooksContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);
    const folder = mkdtempSync(join(tmpdir(), 'clew-writes-'));

    beforeEach(() => {
      manager = new AsyncHooksContextManager({ store }).enable();
    });

    afterEach(() => {
      manager.disable();
    });

    after(() => {
      rmSync(folder, { recursive: true });
    });

    it('keep their callers where another request completes the write', async () => {
      const stream = new Held();
      const seen: unknown[] = [];
      const callback = (): void => void seen.push(nameOf());
      manager.with(named('a'), () => stream.write('a', callback));
      manager.with(named('b'), () => stream.write('b', 'utf8', callback));
      manager.with(named('c'), () => stream.end('c', callback));
      // Each is completed in a callback of a stranger.
      const stranger = manager.with(named('stranger'), () => new AsyncResource('PROBE'));
      for (let turn = 0; turn < 3; turn += 1) {
        stranger.runInAsyncScope(() => stream.release());
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    for (const [kind, make] of [
      ['Writable', () => new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) })],
      ['Duplex', () => new PassThrough().resume()],
      ['stream of fs', () => createWriteStream(join(folder, 'shared'))],
      ['stream of zlib', () => createGzip().resume()],
    ] as const) {
      it(`keep their callers on a shared ${kind}`, async () => {
        const stream: Writable = make();
        const seen: unknown[] = [];
        for (const name of ['a', 'b', 'c']) {
          manager.with(named(name), () => stream.write(name, () => seen.push(nameOf())));
        }
        manager.with(named('d'), () => stream.end('d', () => seen.push(nameOf())));
        await once(stream, 'finish');
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(seen, ['a', 'b', 'c', 'd']);
      });
    }

    it('keep their callers when zlib flushes, also where the stream has ended', async () => {
      const stream = createDeflate();
      const seen: unknown[] = [];
      const callback = (): void => void seen.push(nameOf());
      stream.write('x');
      const changed = manager.with(
        named('a'),
        () => new Promise<void>((resolve) => stream.params(1, 0, () => resolve(callback()))),
      );
      await changed;
      manager.with(named('b'), () => stream.flush(callback));
      stream.end();
      manager.with(named('c'), () => stream.flush(callback));
      await manager.with(named('stranger'), async () => {
        stream.resume();
        await once(stream, 'end');
      });
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    it('keep their callers when a stream of fs is closed', async () => {
      const stream = createWriteStream(join(folder, 'closed'));
      const seen = await Promise.all(
        ['a', 'b'].map((name) =>
          manager.with(
            named(name),
            () => new Promise((resolve) => stream.close(() => resolve(nameOf()))),
          ),
        ),
      );
      assert.deepEqual(seen, ['a', 'b']);
    });

    it('keep their callers on a shared datagram socket, bound or not yet', async () => {
      const receiver = createSocket('udp4').bind(0, '127.0.0.1');
      await once(receiver, 'listening');
      const { port } = receiver.address();
      const sender = createSocket('udp4');
      const seen = await Promise.all(
        ['a', 'b'].map((name) =>
          manager.with(
            named(name),
            () =>
              new Promise((resolve) =>
                sender.send('x', port, '127.0.0.1', () => resolve(nameOf())),
              ),
          ),
        ),
      );
      assert.deepEqual(seen, ['a', 'b']);
      sender.close();
      receiver.close();
    });

    it('keep their callers where another request answers a question', async () => {
      const input = new PassThrough();
      const reader = createInterface({ input, output: new PassThrough().resume() });
      const answered = manager.with(
        named('a'),
        () =>
          new Promise((resolve) => reader.question('?', (answer) => resolve([answer, nameOf()]))),
      );
      manager.with(named('stranger'), () => input.write('yes\n'));
      assert.deepEqual(await answered, ['yes', 'a']);
      const question = promisify(Reflect.get(reader, 'question')).bind(reader) as unknown as (
        query: string,
      ) => Promise<string>;
      const promised = manager.with(named('b'), async () => [await question('?'), nameOf()]);
      manager.with(named('stranger'), () => input.write('no\n'));
      assert.deepEqual(await promised, ['no', 'b']);
      reader.close();
    });

    it('keep their callers on a response of http2', async () => {
      const seen: unknown[] = [];
      const callback = (): void => void seen.push(nameOf());
      const server = createServer((_request, response) => {
        // Whoever writes last has the stream finish.
        manager.with(named('a'), () => response.write('a', callback));
        manager.with(named('b'), () => response.write('b', 'utf8', callback));
        manager.with(named('c'), () => response.end(callback));
      }).listen(0);
      await once(server, 'listening');
      const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await once(session.request().resume(), 'close');
      session.close();
      server.close();
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    it('hand a bad callback to Node as it is', () => {
      const stream = new PassThrough();
      assert.equal(
        manager.with(named('a'), () => stream.write('x', 'utf8', undefined)),
        true,
      );
    });

    it('give the prototypes their methods back', () => {
      manager.disable();
      const methods = (): unknown[] =>
        [
          [Writable, 'write', 'end'],
          [Duplex, 'write', 'end'],
          [OutgoingMessage, 'write', 'end'],
          [ServerResponse, 'writeContinue'],
          // Replaced at once where http2 has been seen before, which the tests above do.
          [Http2ServerResponse, 'end'],
          [Interface, 'question'],
          [Gzip, 'flush', 'params', 'close'],
        ].flatMap(([target, ...names]) =>
          names.map((name): unknown =>
            Reflect.get((target as { prototype: object }).prototype, name as string),
          ),
        );
      const before = methods();
      manager.enable();
      assert.equal(
        methods().some((method, index) => method === before[index]),
        false,
      );
      manager.disable();
      assert.deepEqual(methods(), before);
    });
  });
}
