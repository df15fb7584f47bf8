import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { setImmediate as immediate } from 'node:timers/promises';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import type { ContextToken } from '../../src/context/async-hooks-context-manager.ts';
import { oracles, ours, rootOf } from './contract/managers.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

interface Attaching {
  active(): Context;
  attach(context: Context): Pick<ContextToken, 'dispose'>;
  with<Result>(context: Context, fn: () => Result): Result;
  enable(): this;
  disable(): this;
}

for (const contestant of [...ours, ...oracles]) {
  const isOracle = oracles.includes(contestant);

  describe(`attach of ${contestant.name}`, () => {
    let manager: Attaching;
    const nameOf = (): unknown => manager.active().getValue(KEY);
    // `attach` ends with its scope, and a test is no scope of its own.
    const scoped = (body: () => void | Promise<void>) => () =>
      new AsyncResource('PROBE').runInAsyncScope(body);

    let root: Context;

    before(function () {
      // The first run on a machine installs 3.x.
      this.timeout(180_000);
      root = rootOf(contestant);
    });

    beforeEach(() => {
      manager = contestant.make() as unknown as Attaching;
      manager.enable();
    });

    afterEach(() => {
      manager.disable();
    });

    it(
      'makes the context active until its token is disposed of',
      scoped(() => {
        const token = manager.attach(named('a'));
        assert.equal(nameOf(), 'a');
        token.dispose();
        assert.equal(manager.active(), root);
      }),
    );

    it(
      'nests',
      scoped(() => {
        const first = manager.attach(named('a'));
        const second = manager.attach(named('b'));
        assert.equal(nameOf(), 'b');
        second.dispose();
        assert.equal(nameOf(), 'a');
        first.dispose();
        assert.equal(nameOf(), undefined);
      }),
    );

    it(
      'ends with the `with` it is in',
      scoped(() => {
        manager.with(named('a'), () => {
          manager.attach(named('b'));
          assert.equal(nameOf(), 'b');
        });
        assert.equal(nameOf(), undefined);
      }),
    );

    it(
      'carries to what is requested while it lasts',
      scoped(async () => {
        const token = manager.attach(named('a'));
        const pending = immediate().then(nameOf);
        token.dispose();
        assert.equal(await pending, 'a');
      }),
    );

    it(
      'restores the earlier context when it is disposed of after an await',
      scoped(async () => {
        await manager.with(named('outer'), async () => {
          await immediate();
          const token = manager.attach(named('a'));
          await immediate();
          assert.equal(nameOf(), 'a');
          token.dispose();
          assert.equal(nameOf(), 'outer');
          await immediate();
          assert.equal(nameOf(), 'outer');
        });
      }),
    );

    it(
      'may be disposed of twice',
      scoped(() => {
        const token = manager.attach(named('a'));
        token.dispose();
        manager.with(named('b'), () => {
          token.dispose();
          assert.equal(nameOf(), 'b');
        });
      }),
    );

    it(
      'is the business of its own token only, also of one that is used up',
      scoped(() => {
        const first = manager.attach(named('a'));
        first.dispose();
        const second = manager.attach(named('b'));
        first.dispose();
        assert.equal(nameOf(), 'b');
        second.dispose();
        assert.equal(manager.active(), root);
      }),
    );

    it(
      'carries each context to what was requested under it, one attachment after another',
      scoped(async () => {
        const seen: Promise<unknown>[] = [];
        for (const name of ['a', 'b', 'c']) {
          const token = manager.attach(named(name));
          seen.push(immediate().then(nameOf));
          token.dispose();
          manager.attach(named('in between')).dispose();
        }
        assert.deepEqual(await Promise.all(seen), ['a', 'b', 'c']);
      }),
    );

    it(
      'carries its context to a bound function that is called after its end',
      scoped(() => {
        const token = manager.attach(named('a'));
        const resource = new AsyncResource('PROBE');
        token.dispose();
        const other = manager.attach(named('b'));
        assert.equal(resource.runInAsyncScope(nameOf), 'a');
        other.dispose();
      }),
    );

    if (isOracle) return;

    it(
      'leaves what was attached later when tokens are disposed of out of order',
      scoped(() => {
        const first = manager.attach(named('a'));
        const second = manager.attach(named('b'));
        const third = manager.attach(named('c'));
        first.dispose();
        assert.equal(nameOf(), 'c');
        third.dispose();
        assert.equal(nameOf(), 'b');
        second.dispose();
        assert.equal(manager.active(), root);
      }),
    );

    it(
      'tells two attachments of one context apart',
      scoped(() => {
        const context = named('a');
        const first = manager.attach(context);
        const second = manager.attach(context);
        first.dispose();
        assert.equal(nameOf(), 'a');
        second.dispose();
        assert.equal(nameOf(), undefined);
      }),
    );

    it(
      'changes nothing in another scope when its token is disposed of there',
      scoped(() => {
        const resource = manager.with(named('other'), () => new AsyncResource('PROBE'));
        const token = manager.attach(named('a'));
        resource.runInAsyncScope(() => {
          token.dispose();
          assert.equal(nameOf(), 'other');
        });
      }),
    );

    it(
      'does not come back after the `with` in which its token was disposed of',
      scoped(() => {
        const token = manager.attach(named('a'));
        manager.with(named('b'), () => {
          token.dispose();
          assert.equal(nameOf(), 'b');
        });
        assert.equal(manager.active(), root);
      }),
    );

    it(
      'ends with a `using` declaration',
      scoped(() => {
        const token = manager.attach(named('a')) as ContextToken;
        token[Symbol.dispose]();
        assert.equal(nameOf(), undefined);
      }),
    );

    it(
      'attaches nothing once the manager is disabled',
      scoped(() => {
        const token = manager.attach(named('a'));
        manager.disable();
        assert.equal(manager.active(), root);
        token.dispose();
        manager.enable();
        assert.equal(manager.active(), root);
      }),
    );
  });
}
