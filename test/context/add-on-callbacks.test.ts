import assert from 'node:assert/strict';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { buildAddOn, type Sum } from '../support/add-on.ts';
import { runFixture } from '../support/run-fixture.ts';
import { skipSuite } from '../support/services.ts';
import { STORES } from './contract/managers.ts';
import { isCollected } from '../support/collected.ts';

/** An async context of the add-on's. */
type Handle = object;

interface Callbacks {
  init(resource: object): Handle;
  call<Result>(handle: Handle, callback: () => Result): Result;
  destroy(handle: Handle): void;
  threadsafe(callback: () => void): void;
}

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

for (const store of STORES) {
  describe(`callbacks of native add-ons, ${store} store`, () => {
    let adder: Sum;
    let addOn: Callbacks;
    let manager: AsyncHooksContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);

    /** What Node-API holds weakly, and with it the slot that the `hook` store puts there. */
    const resources: object[] = [];
    const init = (): Handle => {
      const resource = {};
      resources.push(resource);
      return addOn.init(resource);
    };

    before(async function () {
      const sum = await buildAddOn<Sum>();
      const callbacks = await buildAddOn<Callbacks>('test/context/native/callbacks.c');
      if (!sum.addOn || !callbacks.addOn) {
        skipSuite(this, `native add-ons: ${sum.missing ?? callbacks.missing} is not here`);
      }
      adder = sum.addOn;
      addOn = callbacks.addOn;
    });

    beforeEach(() => {
      manager = new AsyncHooksContextManager({ store }).enable();
    });

    afterEach(() => {
      resources.length = 0;
      manager.disable();
    });

    it('keep the context of the code that requested the work', async () => {
      const seen = await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          manager.with(
            named(name),
            () =>
              new Promise((resolve) => {
                adder.sum(10, () => adder.sum(10, () => resolve(nameOf())));
              }),
          ),
        ),
      );
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    it('keep it each time a thread calls', async () => {
      const called = (): Promise<unknown[]> =>
        new Promise((resolve) => {
          const seen: unknown[] = [];
          addOn.threadsafe(() => {
            if (seen.push(nameOf()) === 3) resolve(seen);
          });
        });
      const seen = await Promise.all(['a', 'b'].map((name) => manager.with(named(name), called)));
      assert.deepEqual(seen, [
        ['a', 'a', 'a'],
        ['b', 'b', 'b'],
      ]);
    });

    it('leave the code in whose middle they are called its own context', () => {
      const outer = manager.with(named('a'), () => init());
      const inner = manager.with(named('b'), () => init());
      manager.with(named('c'), () => {
        addOn.call(outer, () => {
          assert.equal(nameOf(), 'a');
          assert.equal(addOn.call(inner, nameOf), 'b');
          assert.equal(nameOf(), 'a');
        });
        assert.equal(nameOf(), 'c');
      });
      assert.equal(manager.active(), ROOT_CONTEXT);
      addOn.destroy(outer);
      addOn.destroy(inner);
    });

    it('leave it its own context when they throw', () => {
      const handle = manager.with(named('a'), () => init());
      manager.with(named('b'), () => {
        assert.throws(
          () =>
            addOn.call(handle, () => {
              throw new Error(`planted in ${String(nameOf())}`);
            }),
          /planted in a/,
        );
        assert.equal(nameOf(), 'b');
      });
      addOn.destroy(handle);
    });

    it('have no context where the work was requested under none', () => {
      const handle = init();
      // Another one's work goes on meanwhile.
      const other = manager.with(named('a'), () => init());
      manager.with(named('b'), () => assert.equal(addOn.call(handle, nameOf), undefined));
      addOn.destroy(handle);
      addOn.destroy(other);
    });

    it('have no context any more after `disable`', () => {
      const handle = manager.with(named('a'), () => init());
      manager.disable();
      assert.equal(addOn.call(handle, nameOf), undefined);
      manager.enable();
      manager.with(named('b'), () => assert.equal(addOn.call(handle, nameOf), undefined));
      addOn.destroy(handle);
    });

    it('let go of the context when the add-on is done', async () => {
      const once = (): WeakRef<Context> => {
        const context = named('a');
        const handle = manager.with(context, () => addOn.init({}));
        addOn.destroy(handle);
        return new WeakRef(context);
      };
      assert.ok(await isCollected(once()));
    });

    it('keep it where the add-on is loaded later, and give `process.dlopen` back', async () => {
      const { stdout } = await runFixture(new URL('./fixtures/late-add-on.js', import.meta.url), {
        env: { CLEW_CONTEXT_STORE: store },
      });
      assert.deepEqual(JSON.parse(stdout), { seen: 'a', isRestored: true, isUndone: true });
    });
  });
}
