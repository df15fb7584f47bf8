import assert from 'node:assert/strict';
import { addAbortListener, getEventListeners, on, once } from 'node:events';
import { aborted } from 'node:util';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { enableRules } from '../../src/instrumentation/rules/index.ts';
import { wrap } from '../../src/instrumentation/wrap.ts';
import { canBindEventListeners } from '../../src/patch/event-target.ts';
import { as, store } from '../instrumentation/wrap/support.ts';
import { isCollected } from '../support/collected.ts';

/** An act on a signal, observed bare and repaired: what it logs is the same. */
type Act = (log: unknown[], controller: AbortController) => unknown;

const ACTS: Record<string, Act> = {
  'a listener that ends with a signal': (log, controller) => {
    const target = new EventTarget();
    target.addEventListener('x', () => log.push('x'), { signal: controller.signal });
    target.dispatchEvent(new Event('x'));
    controller.abort();
    target.dispatchEvent(new Event('x'));
    log.push(getEventListeners(target, 'x').length);
  },
  'a listener of a signal that ends with another signal': (log, controller) => {
    const other = new AbortController();
    controller.signal.addEventListener('abort', () => log.push('ended'), { signal: other.signal });
    other.abort();
    controller.abort();
    log.push(getEventListeners(controller.signal, 'abort').length);
  },
  'util.aborted': async (log, controller) => {
    const resource = {};
    const waiting = aborted(controller.signal, resource);
    controller.abort();
    log.push(await waiting, typeof resource);
  },
  'events.once with a signal': async (log, controller) => {
    const waiting = once(new EventTarget(), 'x', { signal: controller.signal });
    controller.abort('reason');
    await waiting.catch((error: Error) => log.push(error.name));
  },
  'events.on with a signal': async (log, controller) => {
    const target = new EventTarget();
    const events = on(target as never, 'x', { signal: controller.signal });
    const next = events.next();
    target.dispatchEvent(new Event('x'));
    log.push(((await next).value as Event[])[0]?.type);
    const last = events.next();
    controller.abort();
    await last.catch((error: Error) => log.push(error.name));
  },
  'addAbortListener, which resists stopImmediatePropagation': (log, controller) => {
    const { signal } = controller;
    signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    signal.addEventListener('abort', () => log.push('stopped'));
    const first = addAbortListener(signal, () => log.push('first'));
    const second = addAbortListener(signal, () => log.push('second'));
    second[Symbol.dispose]();
    controller.abort();
    log.push(typeof first);
  },
  'a dependent signal': (log, controller) => {
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(1e6)]);
    signal.addEventListener('abort', () => log.push('dependent'));
    controller.abort('why');
    log.push(signal.aborted, signal.reason);
  },
  'a message port': async (log, controller) => {
    const { port1, port2 } = new MessageChannel();
    const target = port1 as unknown as EventTarget;
    const heard = new Promise((resolve) => {
      target.addEventListener('message', resolve, { once: true, signal: controller.signal });
    });
    port1.start();
    port2.postMessage('hello');
    log.push(((await heard) as MessageEvent).data);
    controller.abort();
    port1.close();
  },
  'listeners that are listed and removed': (log, { signal }) => {
    const listener = (): void => void log.push('never');
    const object = { handleEvent: listener };
    signal.addEventListener('abort', listener);
    signal.addEventListener('abort', listener);
    signal.addEventListener('abort', listener, true);
    signal.addEventListener('abort', object);
    const listed = getEventListeners(signal, 'abort');
    log.push(
      listed.length,
      listed[0] === listener,
      listed[1] === listener,
      Object.is(listed[2], object),
    );
    signal.removeEventListener('abort', listener, { capture: true });
    signal.removeEventListener('abort', object);
    log.push(getEventListeners(signal, 'abort')[0] === listener);
    signal.removeEventListener('abort', listener);
    signal.dispatchEvent(new Event('abort'));
  },
  'an object that is given its handleEvent later': (log, { signal }) => {
    const object: { handleEvent?: (event: Event) => void } = { handleEvent: () => undefined };
    signal.addEventListener('abort', object as never);
    object.handleEvent = function (event) {
      log.push(this === object, event.type);
    };
    signal.dispatchEvent(new Event('abort'));
    delete object.handleEvent;
    signal.dispatchEvent(new Event('abort'));
  },
  'a listener for one event, which removes itself first': (log, { signal }) => {
    const listener = function (this: unknown): void {
      log.push(this === signal, getEventListeners(signal, 'abort').length);
      signal.addEventListener('abort', listener, { once: true });
    };
    signal.addEventListener('abort', listener, { once: true });
    signal.dispatchEvent(new Event('abort'));
    signal.dispatchEvent(new Event('abort'));
  },
  'onabort, replaced and removed': (log, { signal }) => {
    Reflect.set(signal, 'onabort', () => log.push('first'));
    Reflect.set(signal, 'onabort', () => log.push('second'));
    signal.dispatchEvent(new Event('abort'));
    Reflect.set(signal, 'onabort', null);
    signal.dispatchEvent(new Event('abort'));
    log.push(signal.onabort);
  },
  'what Node refuses': (log, { signal }) => {
    const addEventListener = Reflect.get(signal, 'addEventListener') as () => void;
    for (const act of [
      () => Reflect.apply(addEventListener, {}, ['x', () => undefined]),
      () => Reflect.apply(addEventListener, undefined, ['x', () => undefined]),
      () => Reflect.apply(addEventListener, signal, ['x']),
      () => signal.addEventListener('x', 5 as never),
      () => signal.addEventListener('x', () => undefined, { signal: 5 as never }),
      () => signal.addEventListener(Symbol('x') as never, () => undefined),
    ]) {
      try {
        act();
        log.push('no error');
      } catch (error) {
        log.push((error as { code?: string }).code ?? (error as Error).name);
      }
    }
    signal.addEventListener({ toString: () => 'named' } as never, () => log.push('named'));
    signal.dispatchEvent(new Event('named'));
  },
};

describe('listeners of event targets', () => {
  it('can be bound on this Node', () => {
    assert.ok(canBindEventListeners);
  });

  for (const [name, act] of Object.entries(ACTS)) {
    it(`leaves as it is in a bare Node: ${name}`, async () => {
      const bare: unknown[] = [];
      await as('A', () => act(bare, new AbortController()));
      const manager = new AsyncHooksContextManager({ listeners: 'registration' }).enable();
      const undo = enableRules();
      const repaired: unknown[] = [];
      try {
        await as('A', () => act(repaired, new AbortController()));
      } finally {
        undo();
        manager.disable();
      }
      assert.ok(bare.length > 0);
      assert.deepEqual(repaired, bare);
    });
  }

  it('run in the context of their registration, as functions, objects and of message ports', async () => {
    const { port1, port2 } = new MessageChannel();
    const undos = [
      wrap(AbortSignal.prototype, { kind: 'emitter' }),
      wrap(Object.getPrototypeOf(port1) as object, { kind: 'emitter' }),
    ];
    const seen: unknown[] = [];
    const note = (): void => void seen.push(store.getStore());
    const controller = new AbortController();
    as('A', () => controller.signal.addEventListener('abort', note));
    as('B', () => controller.signal.addEventListener('abort', { handleEvent: note }));
    // A second registration is ignored, and does not change whose the first is.
    as('C', () => controller.signal.addEventListener('abort', note));
    as('X', () => controller.abort());
    const heard = new Promise<void>((resolve) => {
      as('D', () => port1.on('message', () => resolve(note())));
    });
    const never = (): void => void seen.push('removed');
    as('D', () => port1.on('message', never));
    as('X', () => port1.off('message', never));
    as('X', () => port2.postMessage('hello'));
    await heard;
    port1.close();
    for (const undo of undos) undo();
    assert.deepEqual(seen, ['A', 'B', 'D']);
  });

  it('leaves a listener alone that was registered under no context, also when it comes again', () => {
    const undo = wrap(AbortSignal.prototype, { kind: 'emitter' });
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(store.getStore());
    const controller = new AbortController();
    controller.signal.addEventListener('abort', listener);
    as('A', () => controller.signal.addEventListener('abort', listener));
    as('X', () => controller.abort());
    undo();
    assert.deepEqual(seen, ['X']);
  });

  it('holds no request once a listener is removed', async () => {
    const undo = wrap(AbortSignal.prototype, { kind: 'emitter' });
    const { signal } = new AbortController();
    const serve = (): WeakRef<object> => {
      const request = {};
      as(request as string, () => {
        const listener = (): void => undefined;
        signal.addEventListener('abort', listener);
        signal.removeEventListener('abort', listener);
      });
      return new WeakRef(request);
    };
    assert.ok(await isCollected(serve()));
    undo();
  });
});
