import { AsyncResource, AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { EventEmitter, EventEmitterAsyncResource, on, once } from 'node:events';
import { performance, PerformanceObserver } from 'node:perf_hooks';
import {
  scheduler,
  setImmediate as immediate,
  setInterval as every,
  setTimeout as delay,
} from 'node:timers/promises';
import { promisify, callbackify } from 'node:util';
import { createContext, runInContext } from 'node:vm';

import type { Sources } from './case.ts';
import { done, type Resolve } from './source.ts';

const asyncAtomics = Atomics as unknown as {
  waitAsync?: (array: Int32Array, index: number, value: number) => { value: Promise<string> };
};

export const promises: Sources = {
  'await of a value': async (probe) => {
    // oxlint-disable-next-line typescript/await-thenable, unicorn/no-unnecessary-await
    await 1;
    probe('continuation');
  },
  'await of a pending promise': async (probe) => {
    await done((resolve) => setImmediate(resolve));
    probe('continuation');
  },
  'await of a promise that is resolved elsewhere': async (probe) => {
    let resolve!: Resolve;
    const promise = new Promise((fulfil) => (resolve = fulfil));
    new AsyncLocalStorage().exit(() => setImmediate(resolve));
    await promise;
    probe('continuation');
  },
  'then, catch and finally': (probe) =>
    Promise.resolve()
      .then(() => {
        probe('then');
        throw new Error('planted');
      })
      .catch(() => probe('catch'))
      .finally(() => probe('finally')),
  'then with two handlers': (probe) =>
    Promise.reject(new Error('planted')).then(
      () => undefined,
      () => probe('rejected'),
    ),
  'promise executor': (probe) =>
    new Promise((resolve) => {
      probe('executor');
      setImmediate(resolve);
    }).then(() => probe('then')),
  'try, catch and finally around await': async (probe) => {
    try {
      await Promise.reject(new Error('planted'));
    } catch {
      probe('catch');
      await immediate();
    } finally {
      probe('finally');
    }
  },
  'Promise.all': async (probe) => {
    await Promise.all([1, 2].map(async () => immediate().then(() => probe('branch'))));
    probe('continuation');
  },
  'Promise.race': async (probe) => {
    await Promise.race([immediate(), delay(5)]);
    probe('continuation');
  },
  'Promise.any': async (probe) => {
    await Promise.any([Promise.reject(new Error('planted')), immediate()]);
    probe('continuation');
  },
  'Promise.allSettled': async (probe) => {
    await Promise.allSettled([Promise.reject(new Error('planted')), immediate()]);
    probe('continuation');
  },
  thenable: async (probe) => {
    await {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve: Resolve) => {
        probe('then');
        setImmediate(resolve);
      },
    };
    probe('continuation');
  },
  'subclass of Promise': async (probe) => {
    class Special<Value> extends Promise<Value> {}
    await new Special<void>((resolve) => setImmediate(resolve)).then(() => probe('then'));
    probe('continuation');
  },
  'async generator': async (probe) => {
    async function* generate(): AsyncGenerator<number> {
      await immediate();
      probe('generator');
      yield 1;
      probe('generator, resumed');
    }
    for await (const _ of generate()) probe('loop');
    probe('after the loop');
  },
  'async iterator with return': async (probe) => {
    async function* generate(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        await immediate();
        probe('finally');
      }
    }
    for await (const _ of generate()) break;
    probe('after the loop');
  },
  'for await over promises': async (probe) => {
    // oxlint-disable-next-line typescript/await-thenable
    for await (const _ of [immediate(), immediate()]) probe('loop');
  },
  'generator driven by hand': async (probe) => {
    function* generate(): Generator<Promise<unknown>> {
      yield immediate();
      probe('generator');
    }
    for (const step of generate()) await step;
    probe('continuation');
  },
  'Array.fromAsync': (Array as { fromAsync?: unknown }).fromAsync
    ? async (probe) => {
        const arrays = Array as unknown as {
          fromAsync(items: unknown[], map: () => void): Promise<unknown>;
        };
        await arrays.fromAsync([immediate()], () => probe('map'));
        probe('continuation');
      }
    : undefined,
  'dynamic import': async (probe) => {
    await import('node:os');
    probe('continuation');
  },
  'promise of another realm': async (probe) => {
    const realm = createContext({ probe, setImmediate });
    await (runInContext(
      `new Promise((resolve) => setImmediate(resolve)).then(() => probe('then'))`,
      realm,
    ) as Promise<void>);
    probe('continuation');
  },
  'util.promisify': async (probe) => {
    await promisify((callback: () => void) => setImmediate(callback))();
    probe('continuation');
  },
  'util.callbackify': (probe) =>
    done((resolve) =>
      callbackify(async () => {
        await immediate();
        probe('function');
      })(() => {
        probe('callback');
        resolve();
      }),
    ),
  'Atomics.waitAsync': asyncAtomics.waitAsync
    ? async (probe) => {
        const cell = new Int32Array(new SharedArrayBuffer(4));
        const waiting = asyncAtomics.waitAsync?.(cell, 0, 0);
        setImmediate(() => Atomics.notify(cell, 0));
        await waiting?.value;
        probe('continuation');
      }
    : undefined,
  'WebAssembly.instantiate': async (probe) => {
    const { WebAssembly: wasm } = globalThis as unknown as {
      WebAssembly: { instantiate(code: Uint8Array): Promise<unknown> };
    };
    await wasm.instantiate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    probe('continuation');
  },
};

export const timers: Sources = {
  setTimeout: (probe) => done((resolve) => setTimeout(() => resolve(probe('callback')), 1)),
  'setTimeout, two of one list': (probe) =>
    Promise.all(
      [1, 1].map(() => done((resolve) => setTimeout(() => resolve(probe('callback')), 1))),
    ),
  'setTimeout with refresh': (probe) =>
    done((resolve) => setTimeout(() => resolve(probe('callback')), 1).refresh()),
  'setTimeout, started again when it has fired': (probe) =>
    done((resolve) => {
      let fired = 0;
      const timer = setTimeout(() => {
        probe('callback');
        fired += 1;
        if (fired === 2) resolve();
        else timer.refresh();
      }, 1);
    }),
  setInterval: (probe) =>
    done((resolve) => {
      let left = 3;
      const interval = setInterval(() => {
        probe('callback');
        left -= 1;
        if (left > 0) return;
        clearInterval(interval);
        resolve();
      }, 1);
    }),
  setImmediate: (probe) => done((resolve) => setImmediate(() => resolve(probe('callback')))),
  'process.nextTick': (probe) =>
    done((resolve) => process.nextTick(() => resolve(probe('callback')))),
  queueMicrotask: (probe) => done((resolve) => queueMicrotask(() => resolve(probe('callback')))),
  'tick, microtask and immediate inside each other': (probe) =>
    done((resolve) =>
      process.nextTick(() =>
        queueMicrotask(() =>
          setImmediate(() => process.nextTick(() => resolve(probe('callback')))),
        ),
      ),
    ),
  'timers/promises': async (probe) => {
    await delay(1);
    probe('setTimeout');
    await immediate();
    probe('setImmediate');
    await scheduler.wait(1);
    probe('scheduler.wait');
    await scheduler.yield();
    probe('scheduler.yield');
    for await (const _ of every(1)) {
      probe('setInterval');
      break;
    }
  },
  'timers/promises, aborted': async (probe) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await delay(1000, undefined, { signal: controller.signal }).catch(() => probe('rejection'));
  },
  structuredClone: async (probe) => {
    await Promise.resolve(structuredClone({ a: 1 }));
    probe('continuation');
  },
};

export const events: Sources = {
  'emitter, own event': (probe) => {
    const emitter = new EventEmitter();
    emitter.on('event', () => probe('on')).once('event', () => probe('once'));
    emitter.emit('event');
  },
  'emitter, event from a timer': (probe) =>
    done((resolve) => {
      const emitter = new EventEmitter();
      emitter.on('event', () => resolve(probe('on')));
      setImmediate(() => emitter.emit('event'));
    }),
  'events.once': async (probe) => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('event'));
    await once(emitter, 'event');
    probe('continuation');
  },
  'events.on': async (probe) => {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit('event'));
    for await (const _ of on(emitter, 'event')) {
      probe('loop');
      break;
    }
  },
  'captured rejection of a listener': (probe) =>
    done((resolve) => {
      const emitter = new EventEmitter({ captureRejections: true });
      emitter.on('event', async () => {
        throw new Error('planted');
      });
      emitter.on('error', () => resolve(probe('error')));
      emitter.emit('event');
    }),
  EventEmitterAsyncResource: (probe) =>
    done((resolve) => {
      const emitter = new EventEmitterAsyncResource({ name: 'PROBE' });
      emitter.on('event', () => resolve(probe('on')));
      new AsyncLocalStorage().exit(() => setImmediate(() => emitter.emit('event')));
    }),
  EventTarget: (probe) =>
    done((resolve) => {
      const target = new EventTarget();
      target.addEventListener('event', () => resolve(probe('listener')));
      setImmediate(() => target.dispatchEvent(new Event('event')));
    }),
  'AbortSignal of a controller': (probe) =>
    done((resolve) => {
      const controller = new AbortController();
      controller.signal.addEventListener('abort', () => resolve(probe('listener')));
      setImmediate(() => controller.abort());
    }),
  'AbortSignal.timeout': (probe) =>
    done((resolve) => {
      const keepAlive = setTimeout(() => undefined, 1000);
      AbortSignal.timeout(1).addEventListener('abort', () => {
        clearTimeout(keepAlive);
        resolve(probe('listener'));
      });
    }),
  'AsyncResource.runInAsyncScope': (probe) =>
    done((resolve) => {
      const resource = new AsyncResource('PROBE');
      setImmediate(() => resource.runInAsyncScope(() => resolve(probe('callback'))));
    }),
  'AsyncResource.bind': (probe) =>
    done((resolve) => setImmediate(AsyncResource.bind(() => resolve(probe('callback'))))),
  'AsyncLocalStorage.snapshot': (probe) =>
    done((resolve) => {
      const snapshot = AsyncLocalStorage.snapshot();
      new AsyncLocalStorage().exit(() =>
        setImmediate(() => snapshot(() => resolve(probe('callback')))),
      );
    }),
  'another AsyncLocalStorage': async (probe) => {
    const storage = new AsyncLocalStorage<number>();
    await storage.run(1, async () => {
      await immediate();
      probe('run');
    });
    storage.enterWith(2);
    await immediate();
    probe('enterWith');
    storage.disable();
    await immediate();
    probe('disable');
  },
  'diagnostics channel': (probe) => {
    const source = channel(Symbol('clew:test:survival'));
    const subscriber = (): void => probe('subscriber');
    source.subscribe(subscriber);
    source.publish({});
    source.unsubscribe(subscriber);
  },
  'tracing channel': async (probe) => {
    const tracing = tracingChannel(`clew:test:survival:${Math.random()}`);
    const subscriber = {
      start: () => probe('start'),
      end: () => probe('end'),
      asyncStart: () => probe('asyncStart'),
      asyncEnd: () => probe('asyncEnd'),
      error: () => undefined,
    };
    tracing.subscribe(subscriber);
    await tracing.tracePromise(() => immediate());
    tracing.unsubscribe(subscriber);
  },
  PerformanceObserver: (probe) =>
    done((resolve) => {
      const observer = new PerformanceObserver(() => {
        observer.disconnect();
        resolve(probe('callback'));
      });
      observer.observe({ entryTypes: ['mark'] });
      performance.mark('clew');
    }),
  FinalizationRegistry: globalThis.gc
    ? (probe) =>
        done((resolve) => {
          const registry = new FinalizationRegistry(() => resolve(probe('callback')));
          // oxlint-disable-next-line no-new-object
          registry.register(new Object(), undefined);
          setImmediate(() => globalThis.gc?.());
          setTimeout(() => resolve(registry), 500).unref();
        })
    : undefined,
};
