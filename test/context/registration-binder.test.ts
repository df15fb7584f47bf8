import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners, on, once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

/** What is done with an emitter here does not depend on contexts, so neither may its outcome. */
const programs: Record<string, (log: (...what: unknown[]) => void) => void | Promise<void>> = {
  'identity, order and counts': (log) => {
    const emitter = new EventEmitter();
    const a = (): void => log('a');
    const b = (): void => log('b');
    emitter.on('e', a).on('e', b).prependListener('e', b).once('e', a).prependOnceListener('e', b);
    log(emitter.listenerCount('e'), emitter.listenerCount('e', a));
    const names = new Map<unknown, string>([
      [a, 'a'],
      [b, 'b'],
    ]);
    const naming = (listener: unknown): unknown => names.get(listener) ?? 'wrapper';
    log(emitter.listeners('e').map(naming), emitter.rawListeners('e').map(naming));
    log(getEventListeners(emitter, 'e').map(naming));
    emitter.emit('e');
    emitter.emit('e');
    emitter.off('e', a).removeListener('e', b);
    log(emitter.listeners('e').map(naming));
    emitter.emit('e');
    emitter.removeAllListeners();
    log(emitter.eventNames());
  },
  'newListener and removeListener': (log) => {
    const emitter = new EventEmitter();
    const listener = (): void => undefined;
    emitter.on('newListener', (event, added) => log('new', event, added === listener));
    emitter.on('removeListener', (event, removed) => log('gone', event, removed === listener));
    emitter.on('e', listener).once('e', listener).on('e', listener);
    emitter.off('e', listener).removeAllListeners('e');
  },
  'an error nobody listens for, and one somebody does': (log) => {
    const emitter = new EventEmitter();
    try {
      emitter.emit('error', new Error('planted'));
    } catch (error) {
      log((error as Error).message);
    }
    emitter.once('error', (error: Error) => log('handled', error.message));
    emitter.emit('error', new Error('planted'));
    log(emitter.listenerCount('error'));
  },
  'bad listeners': (log) => {
    for (const method of ['on', 'once', 'prependListener', 'prependOnceListener'] as const) {
      try {
        new EventEmitter()[method]('e', 'text' as never);
      } catch (error) {
        log(method, (error as NodeJS.ErrnoException).code, (error as Error).message);
      }
    }
  },
  'captured rejections': async (log) => {
    const emitter = new EventEmitter({ captureRejections: true });
    emitter.on('e', async () => {
      throw new Error('planted');
    });
    setImmediate(() => emitter.emit('e'));
    const [error] = (await once(emitter, 'error')) as [Error];
    log(error.message, emitter.listenerCount('error'));
  },
  'events.once and events.on': async (log) => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('e', 1));
    log(await once(emitter, 'e'), emitter.eventNames());
    setImmediate(() => emitter.emit('e', 2));
    for await (const args of on(emitter, 'e')) {
      log(args);
      break;
    }
    log(emitter.eventNames());
  },
  'a pipeline of streams': async (log) => {
    const from = new PassThrough();
    const to = new PassThrough();
    from.pipe(to);
    from.end('text');
    for await (const chunk of to) log(String(chunk));
    log(from.listenerCount('data'), to.listenerCount('error'));
  },
  'a listener that removes itself and one that adds another': (log) => {
    const emitter = new EventEmitter();
    const self = (): void => {
      log('self');
      emitter.off('e', self);
      emitter.on('e', () => log('added'));
    };
    emitter.on('e', self);
    emitter.emit('e');
    emitter.emit('e');
  },
};

describe('listeners that keep the context of their registration', () => {
  let manager: AsyncHooksContextManager;
  const nameOf = (): unknown => manager.active().getValue(KEY);

  beforeEach(() => {
    manager = new AsyncHooksContextManager({ listeners: 'registration' }).enable();
  });

  afterEach(() => {
    manager.disable();
  });

  for (const [name, program] of Object.entries(programs)) {
    it(`leaves everything else as it is: ${name}`, async () => {
      const run = async (context: Context | undefined): Promise<unknown[]> => {
        const log: unknown[] = [];
        const record = (...what: unknown[]): void => void log.push(...what);
        await (context ? manager.with(context, () => program(record)) : program(record));
        return log;
      };
      const under = await run(named('a'));
      manager.disable();
      assert.deepEqual(under, await run(undefined));
      assert.ok(under.length > 0);
    });
  }

  it('runs a listener for its registrar and not for the emitter of the event', () => {
    const bus = new EventEmitter();
    const seen: unknown[] = [];
    manager.with(named('a'), () => bus.on('e', () => seen.push(nameOf())));
    manager.with(named('b'), () => bus.once('e', () => seen.push(nameOf())));
    bus.on('e', () => seen.push(nameOf()));
    manager.with(named('c'), () => bus.emit('e'));
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('runs a listener for the emitter of the event under `emission`, the default', () => {
    manager.disable();
    const other = new AsyncHooksContextManager().enable();
    const bus = new EventEmitter();
    let seen: unknown;
    other.with(named('a'), () => bus.on('e', () => (seen = other.active().getValue(KEY))));
    other.with(named('b'), () => bus.emit('e'));
    assert.equal(seen, 'b');
    other.disable();
  });

  it('lets a bound emitter have its own context', () => {
    const emitter = manager.bind(named('bound'), new EventEmitter());
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(nameOf());
    manager.with(named('a'), () => emitter.on('e', listener).once('e', listener));
    emitter.emit('e');
    assert.deepEqual(seen, ['bound', 'bound']);
    emitter.off('e', listener);
    assert.equal(emitter.listenerCount('e'), 0);
    manager.with(named('a'), () => emitter.once('e', listener));
    emitter.off('e', listener);
    assert.equal(emitter.listenerCount('e'), 0);
  });

  it('repairs what HTTP servers lose: the end of a request and of its response', async () => {
    const seen: unknown[] = [];
    const server = createHttpServer((incoming, response) => {
      manager.with(named(incoming.url ?? ''), () => {
        for (const event of ['data', 'end'] as const) {
          incoming.on(event, () => {
            seen.push(event, nameOf());
            if (event === 'end') response.end('x');
          });
        }
        for (const event of ['finish', 'close'] as const) {
          response.on(event, () => seen.push(event, nameOf()));
        }
      });
    }).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(
      request({ port, path: '/a', method: 'POST', agent: false }).end('body'),
      'response',
    )) as NodeJS.ReadableStream[];
    await once(response?.resume() as never, 'end');
    server.close();
    await once(server, 'close');
    assert.deepEqual(seen, ['data', '/a', 'end', '/a', 'finish', '/a', 'close', '/a']);
  });

  it('gives the prototype its methods back', () => {
    manager.disable();
    const names = ['on', 'addListener', 'once', 'prependListener', 'rawListeners'] as const;
    const before = names.map((name) => EventEmitter.prototype[name]);
    manager.enable();
    const during = names.map((name) => EventEmitter.prototype[name]);
    assert.equal(
      during.some((method, index) => method === before[index]),
      false,
    );
    assert.deepEqual(
      during.map(({ name }) => name),
      before.map(({ name }) => name),
    );
    manager.disable();
    assert.deepEqual(
      names.map((name) => EventEmitter.prototype[name]),
      before,
    );
  });
});
