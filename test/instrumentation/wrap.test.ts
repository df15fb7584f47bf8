// Methods are compared here, not called.
// oxlint-disable typescript/unbound-method
import assert from 'node:assert/strict';

import { ClewError } from '../../src/base/errors.ts';
import { wrap } from '../../src/instrumentation/wrap.ts';
import { as, Pool, store } from './wrap/support.ts';

describe('wrap', () => {
  it('returns an undo that leaves the target as it was', () => {
    class Own extends Pool {}
    const before = Object.getOwnPropertyDescriptors(Own.prototype);
    const undo = wrap(Own.prototype, { kind: 'args', method: 'acquire' });
    assert.notEqual(Own.prototype.acquire, Pool.prototype.acquire);
    undo();
    assert.deepEqual(Object.getOwnPropertyDescriptors(Own.prototype), before);
    assert.equal(Own.prototype.acquire, Pool.prototype.acquire);
  });

  it('turns a wrapper that other code kept into a plain call once it is undone', () => {
    const pool = new Pool();
    const undo = wrap(pool, { kind: 'args', method: 'acquire' });
    const kept = pool.acquire;
    undo();
    const seen: unknown[] = [];
    as('A', () => kept.call(pool, () => seen.push(store.getStore())));
    as('B', () => pool.release());
    assert.deepEqual(seen, ['B']);
  });

  it('does nothing when it is undone twice', () => {
    const pool = new Pool();
    const first = wrap(pool, { kind: 'args', method: 'acquire' });
    first();
    const second = wrap(pool, { kind: 'args', method: 'acquire' });
    first();
    const seen: unknown[] = [];
    as('A', () => pool.acquire(() => seen.push(store.getStore())));
    as('B', () => pool.release());
    assert.deepEqual(seen, ['A']);
    second();
  });

  it('wraps once what is reached by two ways', () => {
    const { prototype } = class extends Pool {};
    const undo = wrap(prototype, { kind: 'args', method: 'acquire' });
    const { acquire } = prototype;
    const second = wrap(
      { Alias: { prototype } },
      { kind: 'args', on: 'Alias#', method: 'acquire' },
    );
    assert.equal(prototype.acquire, acquire);
    second();
    undo();
    assert.equal(prototype.acquire, Pool.prototype.acquire);
  });

  it('leaves a patch that came later in place', () => {
    const pool = new Pool();
    const undo = wrap(pool, { kind: 'args', method: 'acquire' });
    const ours = pool.acquire;
    let calls = 0;
    pool.acquire = function (...args) {
      calls++;
      return ours.apply(this, args);
    };
    undo();
    pool.acquire(() => undefined);
    assert.equal(calls, 1);
  });

  it('undoes what it did to the objects that a factory made meanwhile', () => {
    const library = { create: (): Pool => new Pool() };
    const { create } = library;
    const undo = wrap(library, { kind: 'args', on: 'create()', method: 'acquire' });
    const pool = library.create();
    assert.ok(Object.hasOwn(pool, 'acquire'));
    undo();
    assert.ok(!Object.hasOwn(pool, 'acquire'));
    assert.equal(library.create, create);
  });

  it('keeps name, length, properties, class and the constructor of what a path replaces', () => {
    const create = Object.assign(
      function create(this: unknown, _a: unknown, _b: unknown) {
        return new.target ? new.target : new Pool();
      },
      { version: 1 },
    );
    const library = { create: create as any };
    const undo = wrap(library, { kind: 'args', on: 'create()', method: 'x' });
    assert.equal(library.create.name, 'create');
    assert.equal(library.create.length, 2);
    assert.equal(library.create.version, 1);
    assert.ok(library.create() instanceof Pool);
    assert.ok(new library.create() instanceof Object);
    undo();
  });

  for (const [title, path] of [
    ['a member', 'inner.acquire'],
    ['a prototype', 'Pool#'],
    ['a method’s result', 'Factory#create()'],
    ['the default of a namespace', 'default.Pool#'],
  ] as const) {
    it(`finds ${title} by its path`, () => {
      class Factory {
        create(): Pool {
          return new Pool();
        }
      }
      class Mine extends Pool {}
      const inner = new Pool();
      const library = { inner, Pool: Mine, Factory, default: { Pool: Mine } };
      const method = path.includes('acquire') ? {} : { method: 'acquire' };
      const undo = wrap(library, { kind: 'args', on: path, ...method });
      const pool =
        path === 'inner.acquire'
          ? inner
          : path.startsWith('Factory')
            ? new Factory().create()
            : new Mine();
      const seen: unknown[] = [];
      as('A', () => pool.acquire(() => seen.push(store.getStore())));
      as('B', () => pool.release());
      undo();
      assert.deepEqual(seen, ['A']);
    });
  }

  it('refuses a method that is not there, and reports which', () => {
    assert.throws(
      () => wrap(new Pool(), { kind: 'args', method: 'missing' }),
      (error: ClewError) => error.code === 'ERR_RULE' && error.message.includes('missing'),
    );
  });

  it('refuses a kind that does not exist, and a path that is none', () => {
    for (const rule of [{ kind: 'magic' }, { kind: 'args', on: 'a b' }]) {
      assert.throws(
        () => wrap(new Pool(), rule as any),
        (error: unknown) => error instanceof ClewError && error.code === 'ERR_RULE',
      );
    }
  });

  it('leaves a frozen target as it is', () => {
    const pool = Object.freeze(new Pool());
    assert.throws(
      () => wrap(pool, { kind: 'args', method: 'acquire' }),
      (error: unknown) => error instanceof ClewError && error.code === 'ERR_RULE',
    );
    const seen: unknown[] = [];
    pool.acquire(() => seen.push(1));
    pool.release();
    assert.deepEqual(seen, [1]);
  });
});
