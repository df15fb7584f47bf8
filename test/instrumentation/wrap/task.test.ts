// Methods are compared here, not called.
// oxlint-disable typescript/unbound-method
import assert from 'node:assert/strict';

import { wrap } from '../../../src/instrumentation/wrap.ts';
import { isCollected } from '../../support/collected.ts';
import { as, store } from './support.ts';

/** A queue as libraries write them: a list, and a worker that is called when somebody drains. */
class Queue {
  readonly items: unknown[] = [];
  readonly done: ((value: unknown) => void)[] = [];
  readonly worker: (item: unknown) => unknown;

  constructor(worker: (item: unknown) => unknown) {
    this.worker = worker;
  }

  push(item: unknown, callback: (value: unknown) => void = () => undefined): number {
    this.done.push(callback);
    return this.items.push(item);
  }

  unshift(item: unknown, callback: (value: unknown) => void = () => undefined): number {
    this.done.unshift(callback);
    return this.items.unshift(item);
  }

  kill(): void {
    this.items.length = this.done.length = 0;
  }

  drain(): void {
    for (const item of this.items.splice(0)) this.done.shift()?.(this.work(item));
  }

  work(item: unknown): unknown {
    return this.worker(item);
  }
}

const RULE = {
  kind: 'task',
  method: 'push',
  front: 'unshift',
  forget: 'kill',
  enter: 'work',
} as const;

describe('rule kind task', () => {
  it('works on each item, and answers, in the context of who queued it', () => {
    const seen: unknown[] = [];
    const queue = new Queue((item) => seen.push(item, store.getStore()));
    wrap(queue, RULE);
    const object = {};
    for (const caller of ['A', 'B']) {
      as(caller, () => {
        queue.push('same', () => seen.push(`done ${store.getStore()}`));
        queue.push(object);
      });
    }
    as('C', () => queue.unshift('same'));
    as('X', () => queue.drain());
    assert.deepEqual(
      seen.filter((each) => each !== object),
      ['same', 'C', 'same', 'A', 'done A', 'A', 'same', 'B', 'done B', 'B'],
    );
  });

  it('works on items queued before the wrap where it did before', () => {
    const seen: unknown[] = [];
    const queue = new Queue((item) => seen.push(item, store.getStore()));
    as('A', () => queue.push('old'));
    wrap(queue, RULE);
    as('B', () => queue.push('new'));
    as('X', () => queue.drain());
    assert.deepEqual(seen, ['old', 'X', 'new', 'B']);
  });

  it('guesses nothing about equal items once some were dropped', () => {
    const seen: unknown[] = [];
    const queue = new Queue(() => seen.push(store.getStore()));
    wrap(queue, RULE);
    as('A', () => queue.push('same'));
    queue.kill();
    as('B', () => queue.push('same'));
    as('X', () => queue.drain());
    assert.deepEqual(seen, ['B']);
  });

  function observe(wrapped: boolean): unknown[] {
    const log: unknown[] = [];
    const error = new Error('planted');
    const items = [{ n: 1 }, 'two', undefined, null, 5];
    const queue = new Queue(function (this: unknown, ...args: unknown[]) {
      log.push(this === queue, args.length, items.indexOf(args[0] as never));
      if (args[0] === 'two') throw error;
      return args[0];
    });
    const undo = wrapped ? wrap(queue, RULE) : (): void => undefined;
    log.push(
      items.map((item) => queue.push(item, (value) => log.push(items.indexOf(value as never)))),
    );
    log.push(queue.items.map((item) => items.indexOf(item as never)));
    for (let round = 0; round < 2; round++) {
      try {
        queue.drain();
      } catch (thrown) {
        log.push(thrown === error);
      }
    }
    log.push(queue.push.name, queue.push.length);
    undo();
    return log;
  }

  it('changes nothing that the queue and its user can observe', () => {
    assert.deepEqual(observe(true), observe(false));
  });

  it('wraps the worker and the queue of a factory', () => {
    const library = { queue: (worker: (item: unknown) => unknown) => new Queue(worker) };
    const undo = wrap(library, { kind: 'task', on: 'queue()', method: 'push', worker: 0 });
    const seen: unknown[] = [];
    const queue = library.queue(() => seen.push(store.getStore()));
    as('A', () => queue.push(1));
    as('B', () => queue.push(1));
    as('X', () => queue.drain());
    undo();
    assert.deepEqual(seen, ['A', 'B']);
    assert.ok(!Object.hasOwn(queue, 'push'));
  });

  it('retains no caller once the items are done or dropped', async () => {
    const queue = new Queue(() => undefined);
    wrap(queue, RULE);
    const serve = (): WeakRef<object> => {
      const request = {};
      as(request as string, () => {
        queue.push('done');
        queue.push({ some: 'object' });
      });
      queue.drain();
      as(request as string, () => void queue.push('dropped'));
      queue.kill();
      return new WeakRef(request);
    };
    assert.ok(await isCollected(serve()));
  });
});

describe('rule kind home', () => {
  it('runs the method under no context at all', () => {
    const pool = { create: (...args: unknown[]) => [store.getStore(), ...args] };
    wrap(pool, { kind: 'root', method: 'create' });
    assert.deepEqual(
      as('A', () => pool.create(1, 'two')),
      [undefined, 1, 'two'],
    );
  });

  it('leaves the application’s own stores when it is to leave the trace only', () => {
    const pool = { create: () => store.getStore() };
    wrap(pool, { kind: 'root', method: 'create', leave: 'trace' });
    assert.equal(
      as('A', () => pool.create()),
      'A',
    );
  });

  it('keeps this, errors and the promise', async () => {
    const error = new Error('planted');
    const promise = Promise.resolve(1);
    const pool = {
      create(this: unknown, fail: boolean): unknown {
        if (fail) throw error;
        return this === pool ? promise : undefined;
      },
    };
    wrap(pool, { kind: 'root', method: 'create' });
    assert.equal(pool.create(false), promise);
    assert.throws(
      () => pool.create(true),
      (thrown) => thrown === error,
    );
  });
});

describe('rule kind latest', () => {
  /** A debounce whose time has come when `flush` is called. */
  function coalesce(fn: (...args: unknown[]) => unknown, _wait?: number, _options?: object): any {
    let last: unknown[] | undefined;
    const coalesced = (...args: unknown[]): void => void (last = args);
    return Object.assign(coalesced, {
      flush: (): unknown => {
        const args = last;
        last = undefined;
        return args && fn(...args);
      },
      cancel: (): void => void (last = undefined),
    });
  }

  it('runs for the last caller, and not at all once it was cancelled', () => {
    const library = { coalesce };
    wrap(library, { kind: 'latest', on: 'coalesce' });
    const seen: unknown[] = [];
    const coalesced = library.coalesce((value) => seen.push(value, store.getStore()));
    as('A', () => coalesced(1));
    as('B', () => coalesced(2));
    as('X', () => coalesced.flush());
    as('A', () => coalesced(3));
    coalesced.cancel();
    as('X', () => coalesced.flush());
    assert.deepEqual(seen, [2, 'B']);
  });

  it('keeps the properties and results of the coalesced function', () => {
    const library = { coalesce };
    wrap(library, { kind: 'latest', on: 'coalesce' });
    const coalesced = library.coalesce((value) => value);
    assert.equal(coalesced(5), undefined);
    assert.equal(coalesced.flush(), 5);
    assert.deepEqual(Object.keys(coalesced), ['flush', 'cancel']);
    assert.throws(() => library.coalesce('no function' as never).flush.call.call(1));
  });

  it('retains no caller after the run, nor where no run can follow', async () => {
    const library = { coalesce };
    wrap(library, { kind: 'latest', on: 'coalesce' });
    const ran = library.coalesce(() => undefined);
    const leading = library.coalesce(() => undefined, 0, { trailing: false });
    const serve = (): WeakRef<object> => {
      const request = {};
      as(request as string, () => {
        ran();
        leading();
      });
      ran.flush();
      return new WeakRef(request);
    };
    assert.ok(await isCollected(serve()));
  });
});

describe('rule kind config', () => {
  it('calls the library’s own switch, and its opposite for the undo', () => {
    const calls: unknown[] = [];
    const library = { config: (options: unknown) => void calls.push(options) };
    const undo = wrap(library, {
      kind: 'config',
      method: 'config',
      arguments: [{ asyncHooks: true }],
      undoArguments: [{ asyncHooks: false }],
    });
    undo();
    undo();
    assert.deepEqual(calls, [{ asyncHooks: true }, { asyncHooks: false }]);
  });
});
