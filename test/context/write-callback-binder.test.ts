import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Duplex, PassThrough, Writable } from 'node:stream';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

describe('callbacks of queued writes under `listeners: registration`', () => {
  let manager: AsyncHooksContextManager;
  const nameOf = (): unknown => manager.active().getValue(KEY);

  beforeEach(() => {
    manager = new AsyncHooksContextManager({ listeners: 'registration' }).enable();
  });

  afterEach(() => {
    manager.disable();
  });

  for (const [kind, make] of [
    ['Writable', () => new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) })],
    ['Duplex', () => new PassThrough().resume()],
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

  it('keep their callers on a shared datagram socket', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const seen = await Promise.all(
      ['a', 'b'].map((name) =>
        manager.with(
          named(name),
          () =>
            new Promise((resolve) => socket.send('x', port, '127.0.0.1', () => resolve(nameOf()))),
        ),
      ),
    );
    assert.deepEqual(seen, ['a', 'b']);
    socket.close();
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
      [Writable.prototype, Duplex.prototype].flatMap((prototype) =>
        ['write', 'end'].map((name): unknown => Reflect.get(prototype, name)),
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
