import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners, on, once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { setLogLevel } from '../../src/base/log.ts';
import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { captureStderr } from '../support/capture-stderr.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

describe('bound emitter', () => {
  let manager: AsyncHooksContextManager;
  const nameOf = (): unknown => manager.active().getValue(KEY);
  const bound = <Emitter extends EventEmitter>(emitter: Emitter, name = 'bound'): Emitter =>
    manager.bind(named(name), emitter);

  beforeEach(() => {
    manager = new AsyncHooksContextManager().enable();
  });

  afterEach(() => {
    manager.disable();
  });

  it('is the very emitter', () => {
    const emitter = new EventEmitter();
    assert.equal(bound(emitter), emitter);
  });

  for (const method of [
    'on',
    'once',
    'addListener',
    'prependListener',
    'prependOnceListener',
  ] as const) {
    it(`runs listeners added by ${method} in its context`, () => {
      const emitter = bound(new EventEmitter());
      const seen: unknown[] = [];
      emitter[method]('event', function (this: unknown, ...args: unknown[]) {
        seen.push(this, nameOf(), ...args);
      });
      manager.with(named('emitter'), () => {
        emitter.emit('event', 1, 2, 3);
        assert.equal(nameOf(), 'emitter');
      });
      assert.deepEqual(seen, [emitter, 'bound', 1, 2, 3]);
    });

    it(`shows and removes listeners added by ${method} under their own identity`, () => {
      const emitter = bound(new EventEmitter());
      const listener = (): void => assert.fail('was removed');
      emitter[method]('event', listener);
      assert.deepEqual(emitter.listeners('event'), [listener]);
      assert.deepEqual(getEventListeners(emitter, 'event'), [listener]);
      assert.equal(emitter.listenerCount('event', listener), 1);
      emitter.off('event', listener);
      assert.equal(emitter.listenerCount('event'), 0);
      emitter.emit('event');
    });

    it(`leaves Node's own error for a bad listener to ${method}`, () => {
      const plain = new EventEmitter();
      for (const bad of [undefined, null, 1, {}]) {
        let expected: unknown;
        try {
          plain[method]('event', bad as never);
        } catch (error) {
          expected = error;
        }
        assert.throws(
          () => bound(new EventEmitter())[method]('event', bad as never),
          (error: NodeJS.ErrnoException) =>
            error.code === 'ERR_INVALID_ARG_TYPE' && error.message === (expected as Error).message,
        );
      }
    });
  }

  it('leaves listeners alone that were added before it was bound', () => {
    const emitter = new EventEmitter();
    let seen: unknown = 'not called';
    emitter.on('event', () => (seen = nameOf()));
    bound(emitter);
    emitter.emit('event');
    assert.equal(seen, undefined);
  });

  it('keeps its first context when it is bound again', () => {
    const emitter = bound(bound(new EventEmitter(), 'first'), 'second');
    let seen: unknown;
    emitter.on('event', () => (seen = nameOf()));
    emitter.emit('event');
    assert.equal(seen, 'first');
  });

  it('removes a listener as often as it was added', () => {
    const emitter = bound(new EventEmitter());
    let calls = 0;
    const listener = (): void => void (calls += 1);
    emitter.on('event', listener).on('event', listener);
    emitter.emit('event');
    assert.equal(calls, 2);
    emitter.off('event', listener);
    emitter.emit('event');
    assert.equal(calls, 3);
    emitter.removeListener('event', listener);
    emitter.emit('event');
    assert.equal(calls, 3);
  });

  it('passes `newListener` and `removeListener` the listener and not a wrapper', () => {
    const emitter = bound(new EventEmitter());
    const told: unknown[] = [];
    const first = (): void => undefined;
    const second = (): void => undefined;
    emitter.on('newListener', (event, listener) => told.push('new', event, listener));
    emitter.on('removeListener', (event, listener) => told.push('removed', event, listener));
    told.length = 0;
    emitter.on('a', first);
    emitter.once('a', second);
    emitter.off('a', first);
    emitter.on('a', first);
    emitter.off('a', second);
    emitter.on('a', first);
    emitter.removeAllListeners('a');
    assert.deepEqual(
      told,
      [
        ['new', 'a', first],
        ['new', 'a', second],
        ['removed', 'a', first],
        ['new', 'a', first],
        ['removed', 'a', second],
        ['new', 'a', first],
        ['removed', 'a', first],
        ['removed', 'a', first],
      ].flat(),
    );
  });

  it('binds a listener that a `newListener` handler adds', () => {
    const emitter = bound(new EventEmitter());
    const seen: unknown[] = [];
    emitter.once('newListener', () => emitter.on('event', () => seen.push('inner', nameOf())));
    emitter.on('event', () => seen.push('outer', nameOf()));
    emitter.emit('event');
    assert.deepEqual(seen, ['inner', 'bound', 'outer', 'bound']);
  });

  it('gives `rawListeners` the forms that Node gives', () => {
    const emitter = bound(new EventEmitter());
    let calls = 0;
    const listener = (): void => void (calls += 1);
    emitter.on('event', listener);
    emitter.once('event', listener);
    const [plain, wrapper] = emitter.rawListeners('event') as [
      () => void,
      (() => void) & { listener: () => void },
    ];
    assert.equal(plain, listener);
    assert.notEqual(wrapper, listener);
    assert.equal(wrapper.listener, listener);
    wrapper.listener();
    assert.equal(emitter.listenerCount('event'), 2);
    wrapper();
    assert.equal(emitter.listenerCount('event'), 1);
    assert.equal(calls, 2);
  });

  it('calls a `once` listener once, also if it emits again', () => {
    const emitter = bound(new EventEmitter());
    let calls = 0;
    emitter.once('event', () => {
      calls += 1;
      emitter.emit('event');
    });
    emitter.emit('event');
    assert.equal(calls, 1);
  });

  it('serves `events.once` and `events.on`', async () => {
    const emitter = bound(new EventEmitter());
    setImmediate(() => emitter.emit('event', 42));
    assert.deepEqual(await once(emitter, 'event'), [42]);
    assert.equal(emitter.listenerCount('event'), 0);
    setImmediate(() => emitter.emit('event', 43));
    for await (const args of on(emitter, 'event')) {
      assert.deepEqual(args, [43]);
      break;
    }
    assert.equal(emitter.listenerCount('event'), 0);
    setImmediate(() => emitter.emit('error', new Error('planted')));
    await assert.rejects(once(emitter, 'event'), /planted/);
  });

  it('hands the rejection of an async listener to `error`', async () => {
    const emitter = bound(new EventEmitter({ captureRejections: true }));
    emitter.on('event', async () => {
      throw new Error('planted');
    });
    setImmediate(() => emitter.emit('event'));
    const [error] = (await once(emitter, 'error')) as [Error];
    assert.equal(error.message, 'planted');
  });

  it('throws an `error` without a listener', () => {
    const emitter = bound(new EventEmitter());
    assert.throws(() => emitter.emit('error', new Error('planted')), /planted/);
  });

  it('lets a stream behave as a stream', async () => {
    const stream = bound(new PassThrough());
    const seen: unknown[] = [];
    stream.on('data', (chunk: Buffer) => seen.push(chunk.toString(), nameOf()));
    const end = once(stream, 'end');
    manager.with(named('writer'), () => stream.end('text'));
    await end;
    assert.deepEqual(seen, ['text', 'bound']);
    const readable = bound(new PassThrough());
    const listener = (): void => undefined;
    readable.on('readable', listener);
    assert.equal(readable.readableFlowing, false);
    readable.off('readable', listener);
    await immediate();
    assert.equal(readable.listenerCount('readable'), 0);
  });

  it('respects the `once` and `on` of a subclass', () => {
    const calls: string[] = [];
    class Special extends EventEmitter {
      override on(event: string | symbol, listener: (...args: unknown[]) => void): this {
        calls.push('on');
        return super.on(event, listener);
      }
      override once(event: string | symbol, listener: (...args: unknown[]) => void): this {
        calls.push('once');
        return super.once(event, listener);
      }
    }
    const emitter = bound(new Special());
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(nameOf());
    emitter.once('event', listener);
    assert.deepEqual(emitter.listeners('event'), [listener]);
    emitter.emit('event');
    emitter.emit('event');
    assert.deepEqual(seen, ['bound']);
    assert.deepEqual(calls, ['once', 'on']);
    emitter.once('event', listener);
    emitter.off('event', listener);
    assert.equal(emitter.listenerCount('event'), 0);
  });

  it('serves objects that inherit from a bound emitter, and methods taken off it', () => {
    const emitter = bound(new EventEmitter());
    const heir = Object.create(emitter) as EventEmitter;
    let seen: unknown;
    heir.on('event', () => (seen = nameOf()));
    heir.emit('event');
    assert.equal(seen, 'bound');
    const other = new EventEmitter();
    // oxlint-disable-next-line typescript/unbound-method
    const { on: add } = emitter;
    add.call(other, 'event', () => (seen = nameOf()));
    other.emit('event');
    assert.equal(seen, undefined);
  });

  it('can be bound by two managers, and listeners are still found', () => {
    const other = new AsyncHooksContextManager().enable();
    const emitter = other.bind(named('other'), bound(new EventEmitter()));
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(nameOf(), other.active().getValue(KEY));
    emitter.on('event', listener);
    emitter.emit('event');
    assert.deepEqual(seen, ['bound', 'other']);
    assert.deepEqual(emitter.listeners('event'), [listener]);
    emitter.off('event', listener);
    assert.equal(emitter.listenerCount('event'), 0);
    other.disable();
  });

  it('can be bound by a foreign manager as well', () => {
    const foreign = new AsyncLocalStorageContextManager();
    const emitter = foreign.bind(named('foreign'), bound(new EventEmitter()));
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(nameOf(), foreign.active().getValue(KEY));
    emitter.on('event', listener);
    emitter.emit('event');
    assert.deepEqual(seen, ['bound', 'foreign']);
    emitter.off('event', listener);
    assert.equal(emitter.listenerCount('event'), 0);
    foreign.disable();
  });

  it('does not show its context when it is inspected', () => {
    const secret = ROOT_CONTEXT.setValue(KEY, 'hunter2');
    const emitter = manager.bind(secret, new EventEmitter());
    emitter.on('event', () => undefined);
    assert.doesNotMatch(inspect(emitter, { depth: 20, showHidden: true }), /hunter2/);
  });

  describe('that cannot be changed', () => {
    const refusing: [string, () => EventEmitter][] = [
      ['frozen', () => Object.freeze(Object.assign(new EventEmitter(), { _events: {} }))],
      [
        'a proxy that refuses every change',
        () =>
          new Proxy(new EventEmitter(), {
            set: () => false,
            defineProperty: () => {
              throw new Error('hands off');
            },
          }),
      ],
      [
        'with a method that is read-only',
        () => Object.defineProperty(new EventEmitter(), 'prependListener', { value: () => 'mine' }),
      ],
    ];
    for (const [what, make] of refusing) {
      it(`stays as it is, and that is reported in one line: ${what}`, () => {
        const emitter = make();
        const before = Reflect.ownKeys(emitter);
        // oxlint-disable-next-line typescript/unbound-method
        const { on: add } = emitter;
        setLogLevel('info');
        const lines = captureStderr(() => {
          assert.equal(manager.bind(named('a'), emitter), emitter);
          manager.bind(named('a'), make());
        });
        setLogLevel('none');
        assert.equal(lines.length, 1);
        assert.match(lines[0] ?? '', /^clew: Cannot bind an? \w+ to a context: /);
        assert.deepEqual(Reflect.ownKeys(emitter), before);
        // oxlint-disable-next-line typescript/unbound-method
        assert.equal(emitter.on, add);
      });
    }
  });
});
