// Methods are compared here, not called.
// oxlint-disable typescript/unbound-method
import assert from 'node:assert/strict';

import { wrap } from '../../../src/instrumentation/wrap.ts';
import { isCollected } from '../../support/collected.ts';
import { as, Pool, store } from './support.ts';

describe('rule kind args', () => {
  it('runs each callback in the context of its caller', () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire' });
    const seen: unknown[] = [];
    for (const caller of ['A', 'B']) {
      as(caller, () => pool.acquire(() => seen.push(store.getStore())));
    }
    pool.acquire(() => seen.push(store.getStore()));
    as('C', () => pool.release());
    assert.deepEqual(seen, ['A', 'B', undefined]);
  });

  /** What an application can see of a call, with the rule and without. */
  function observe(wrapped: boolean): unknown[] {
    const log: unknown[] = [];
    const target = {
      call(this: unknown, ...args: any[]): unknown {
        log.push('this', this === target, args.length);
        for (const arg of args) {
          if (typeof arg !== 'function') continue;
          log.push(arg.name, arg.length, arg.tag, String(arg[Symbol.toStringTag]));
          log.push(Object.getPrototypeOf(arg).constructor.name, arg.prototype === undefined);
          try {
            const returned: unknown = arg.call('self', 1, 2);
            log.push('returned', returned instanceof Promise ? 'a promise' : returned);
          } catch (error) {
            log.push('threw', (error as Error).message);
          }
        }
        return args[0];
      },
    };
    const { call } = target;
    const rule = { kind: 'args', method: 'call' } as const;
    const undo = wrapped ? wrap(target, rule) : (): void => undefined;
    log.push(target.call.name, target.call.length, Object.keys(target), call.length);
    const callback = Object.assign(
      function callback(this: unknown, a: number, b: number) {
        log.push(this, a, b, new.target);
        return a + b;
      },
      { tag: 'own property' },
    );
    log.push(typeof target.call(callback, 'text', async () => 1, Pool));
    target.call(() => {
      throw new Error('planted');
    });
    undo();
    return log;
  }

  it('changes nothing that a method or its callbacks can observe', () => {
    assert.deepEqual(observe(true), observe(false));
  });

  it('binds only the arguments it is given', () => {
    let given: unknown[] = [];
    const target = { call: (...args: unknown[]) => (given = args) };
    wrap(target, { kind: 'args', method: 'call', argument: [0, -1] });
    const fns = [() => 0, () => 1, () => 2];
    target.call(...fns);
    assert.deepEqual(
      given.map((fn, index) => fn === fns[index]),
      [false, true, false],
    );
  });

  it('lets errors of the method and of callbacks through, the same object', () => {
    const error = new Error('planted');
    const target = {
      call(callback: () => void): void {
        callback();
      },
    };
    wrap(target, { kind: 'args', method: 'call' });
    assert.throws(
      () =>
        target.call(() => {
          throw error;
        }),
      (thrown) => thrown === error,
    );
  });

  it('returns the promise of the method itself, whose rejection stays unhandled', async () => {
    const promise = Promise.reject(new Error('planted'));
    const target = { call: (_fn: () => void): Promise<never> => promise };
    wrap(target, { kind: 'args', method: 'call' });
    const returned = target.call(() => undefined);
    assert.equal(returned, promise);
    await assert.rejects(promise);
  });

  it('retains nothing once the callback is gone', async () => {
    const pool = new Pool();
    wrap(pool, { kind: 'args', method: 'acquire' });
    const makeCaller = (): WeakRef<object> => {
      const request = {};
      as(request as string, () => void pool.acquire(() => undefined));
      return new WeakRef(request);
    };
    const request = makeCaller();
    pool.release();
    assert.ok(await isCollected(request));
  });

  it('calls a callback that comes at once without entering its async resource', () => {
    // A recursion through such callbacks would open a scope at each level of the stack.
    const target = { call: (callback: () => void) => callback() };
    wrap(target, { kind: 'args', method: 'call' });
    const recurse = (depth: number): number =>
      depth === 0
        ? new Error('probe').stack!.split('\n').filter((line) => line.includes('runInAsyncScope'))
            .length
        : (target.call(() => recurse(depth - 1)) as unknown as number);
    assert.equal(recurse(5), 0);
  });
});

describe('rule kind handler', () => {
  it('runs each method of the object in the context of the caller', () => {
    const waiting: any[] = [];
    const target = { dispatch: (_options: object, handler: object) => void waiting.push(handler) };
    wrap(target, { kind: 'handler', method: 'dispatch', argument: 1 });
    const seen: unknown[] = [];
    class Handler {
      readonly #caller: string;
      constructor(caller: string) {
        this.#caller = caller;
      }
      onData(value: number): number {
        seen.push([this.#caller, store.getStore(), value]);
        return value + 1;
      }
    }
    const handlers = ['A', 'B'].map((caller) => {
      const handler = new Handler(caller);
      as(caller, () => target.dispatch({}, handler));
      return handler;
    });
    const returned = as('X', () => waiting.map((handler) => handler.onData(1)));
    assert.deepEqual(seen, [
      ['A', 'A', 1],
      ['B', 'B', 1],
    ]);
    assert.deepEqual(returned, [2, 2]);
    assert.ok(waiting[0] instanceof Handler);
    assert.equal(waiting[0].constructor, handlers[0]!.constructor);
    assert.equal(waiting[0].onData, waiting[0].onData);
  });

  it('writes through to the object and shows what is constant as it is', () => {
    let given: any;
    const target = { call: (handler: object) => void (given = handler) };
    wrap(target, { kind: 'handler', method: 'call' });
    const constant = (): number => 1;
    const handler = Object.freeze({ constant });
    target.call(handler);
    assert.equal(given.constant, constant);
    const open: { added?: number } = {};
    target.call(open);
    given.added = 1;
    assert.equal(open.added, 1);
    assert.deepEqual(Object.keys(given), ['added']);
  });

  it('leaves anything but an object, and the library’s own objects, alone', () => {
    const given: unknown[] = [];
    const target = { call: (handler: unknown) => void given.push(handler) };
    wrap(target, { kind: 'handler', method: 'call', unless: 'unsubscribe' });
    const own = { unsubscribe: () => undefined };
    const values = [null, undefined, 'text', own];
    for (const value of values) target.call(value);
    assert.deepEqual(given, values);
    assert.equal(given[3], own);
  });
});

describe('rule kind iterator', () => {
  it('runs each step in the context of who asked for the iterator', async () => {
    const seen: unknown[] = [];
    const target = {
      async *events(count: number): AsyncGenerator<number> {
        try {
          for (let n = 0; n < count; n++) {
            seen.push(store.getStore());
            yield n;
          }
        } finally {
          seen.push(`end ${store.getStore()}`);
        }
      },
    };
    wrap(target, { kind: 'iterator', method: 'events' });
    const iterator = as('A', () => target.events(3));
    assert.deepEqual(await as('B', () => iterator.next()), { value: 0, done: false });
    assert.deepEqual(await as('C', () => iterator.next()), { value: 1, done: false });
    assert.deepEqual(await as('D', () => iterator.return(7)), { value: 7, done: true });
    assert.deepEqual(seen, ['A', 'A', 'end A']);
    assert.deepEqual(Object.keys(iterator), []);
  });
});
