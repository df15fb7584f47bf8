import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';

import { wrap } from '../../../src/instrumentation/wrap.ts';
import { isCollected } from '../../support/collected.ts';
import { as, store } from './support.ts';

const ADDERS = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const;

describe('rule kind emitter', () => {
  for (const method of ADDERS) {
    it(`runs a listener added by ${method} in the context of its registration`, () => {
      const emitter = new EventEmitter();
      wrap(emitter, { kind: 'emitter' });
      const seen: unknown[] = [];
      as('A', () => emitter[method]('event', () => seen.push(store.getStore())));
      as('B', () => emitter.emit('event'));
      assert.deepEqual(seen, ['A']);
    });
  }

  it('leaves a listener alone that was registered under no context', () => {
    const emitter = new EventEmitter();
    wrap(emitter, { kind: 'emitter' });
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(store.getStore());
    emitter.on('event', listener);
    as('B', () => emitter.emit('event'));
    assert.deepEqual(seen, ['B']);
    assert.equal(emitter.rawListeners('event')[0], listener);
  });

  it('concerns the named events only', () => {
    const emitter = new EventEmitter();
    wrap(emitter, { kind: 'emitter', events: ['mine'] });
    const seen: unknown[] = [];
    as('A', () => {
      emitter.on('mine', () => seen.push(store.getStore()));
      emitter.on('other', () => seen.push(store.getStore()));
    });
    as('B', () => {
      emitter.emit('mine');
      emitter.emit('other');
    });
    assert.deepEqual(seen, ['A', 'B']);
  });

  /** A tour of what Node's emitters do, as an application sees it. */
  async function observe(wrapped: boolean): Promise<unknown[]> {
    class Emitter extends EventEmitter {}
    const undo = wrapped ? wrap(Emitter.prototype, { kind: 'emitter' }) : (): void => undefined;
    const log: unknown[] = [];
    await as('A', async () => {
      const emitter = new Emitter({ captureRejections: true });
      emitter.on('newListener', (event, listener) => log.push('new', event, listener.name));
      emitter.on('removeListener', (event, listener) => {
        // A fired `once` shows the emitter's own wrapper, whose name is Node's affair.
        log.push('removed', event, listener.name.replace(/^(bound onceW|w)rapper$/, 'a wrapper'));
      });
      const first = function first(this: unknown, ...args: unknown[]): void {
        log.push('first', this === emitter, args);
      };
      const second = function second(): void {
        log.push('second', emitter.listenerCount('event'));
      };
      // The same listener twice, removed once; once before and after; prepended.
      log.push(emitter.on('event', first) === emitter);
      emitter.on('event', first).once('event', second).prependListener('event', second);
      emitter.prependOnceListener('event', first);
      log.push(emitter.listeners('event').map((each) => [each === first, each === second]));
      log.push(emitter.emit('event', 1, 'two', 3, 4), emitter.listenerCount('event'));
      log.push(emitter.off('event', first) === emitter, emitter.listenerCount('event'));
      log.push(emitter.emit('event'), emitter.listenerCount('event', first));
      // A once listener that is removed before it fires, and one that removes itself.
      emitter.once('other', first);
      emitter.removeListener('other', first);
      log.push(emitter.emit('other'));
      const self = (): void => void emitter.off('other', self);
      emitter.on('other', self);
      log.push(emitter.emit('other'), emitter.emit('other'));
      emitter.removeAllListeners('event');
      log.push(emitter.emit('event'), emitter.eventNames());
      // Errors: a bad listener, one that throws, a rejection, the unhandled 'error' event.
      for (const act of [
        () => emitter.on('event', 'no function' as never),
        () => emitter.once('event', undefined as never),
        () => {
          emitter.once('throws', () => {
            throw new Error('planted');
          });
          emitter.emit('throws');
        },
        () => emitter.emit('error', new Error('unhandled')),
      ]) {
        try {
          act();
          log.push('no error');
        } catch (error) {
          log.push((error as Error).message, (error as { code?: string }).code);
        }
      }
      const rejected = once(emitter, 'error');
      emitter.on('rejects', async () => {
        throw new Error('rejected');
      });
      emitter.emit('rejects');
      log.push(((await rejected) as Error[]).map(({ message }) => message));
      const value = once(emitter, 'promise');
      emitter.emit('promise', 5);
      log.push(await value);
    });
    undo();
    return log;
  }

  it('changes nothing that an application can observe', async () => {
    assert.deepEqual(await observe(true), await observe(false));
  });

  it('removes what was added before the undo', () => {
    const emitter = new EventEmitter();
    const undo = wrap(emitter, { kind: 'emitter' });
    const listener = (): void => undefined;
    as('A', () => emitter.on('event', listener).once('event', listener));
    undo();
    emitter.off('event', listener).off('event', listener);
    assert.equal(emitter.listenerCount('event'), 0);
    assert.ok(!Object.hasOwn(emitter, 'on'));
  });

  it('holds no request once its listener is gone', async () => {
    const emitter = new EventEmitter();
    wrap(emitter, { kind: 'emitter' });
    const serve = (): WeakRef<object> => {
      const request = {};
      as(request as string, () => {
        const listener = (): void => undefined;
        emitter.on('event', listener);
        emitter.once('once', listener);
        emitter.off('event', listener);
      });
      emitter.emit('once');
      return new WeakRef(request);
    };
    assert.ok(await isCollected(serve()));
  });
});

describe('rule kind emitter, on event targets', () => {
  class Target extends EventTarget {}
  let undo: () => void;
  before(() => (undo = wrap(Target.prototype, { kind: 'emitter' })));
  after(() => undo());

  function observe(target: EventTarget): unknown[] {
    const log: unknown[] = [];
    as('A', () => {
      const listener = function (this: unknown, event: Event): void {
        log.push('fn', this === target, event.type);
      };
      const object = {
        handleEvent(this: unknown, event: Event): void {
          log.push('object', this === object, event.type);
        },
      };
      target.addEventListener('x', listener);
      target.addEventListener('x', listener);
      target.addEventListener('x', listener, { capture: true });
      target.addEventListener('x', object, { once: true });
      target.dispatchEvent(new Event('x'));
      target.dispatchEvent(new Event('x'));
      target.addEventListener('x', object, { once: true });
      target.dispatchEvent(new Event('x'));
      target.removeEventListener('x', listener);
      target.dispatchEvent(new Event('x'));
      target.removeEventListener('x', listener, true);
      target.removeEventListener('x', object);
      target.removeEventListener('x', null as never);
      log.push(target.dispatchEvent(new Event('x')));
      try {
        target.addEventListener('x', 5 as never);
      } catch (error) {
        log.push((error as { code: string }).code);
      }
    });
    return log;
  }

  it('changes nothing that an application can observe', () => {
    assert.deepEqual(observe(new Target()), observe(new EventTarget()));
  });

  it('runs a listener in the context of its registration', () => {
    const target = new Target();
    const seen: unknown[] = [];
    as('A', () => target.addEventListener('x', () => seen.push(store.getStore())));
    as('B', () => target.dispatchEvent(new Event('x')));
    assert.deepEqual(seen, ['A']);
  });
});
