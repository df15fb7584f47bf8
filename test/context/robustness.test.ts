import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createContext as createRealm, runInContext } from 'node:vm';
import { setImmediate as immediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import {
  createContextKey,
  ROOT_CONTEXT,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { setLogLevel } from '../../src/base/log.ts';
import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { captureStderr } from '../support/capture-stderr.ts';
import { runFixture } from '../support/run-fixture.ts';
import { STORES } from './contract/managers.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

for (const store of STORES) {
  describe(`robustness of the ${store} store`, () => {
    let manager: AsyncHooksContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);

    beforeEach(() => {
      manager = new AsyncHooksContextManager({ store }).enable();
    });

    afterEach(() => {
      manager.disable();
    });

    it('lets a stack overflow be caught and has the right context afterwards', async function () {
      this.timeout(120_000);
      const { stdout } = await runFixture(new URL('./fixtures/overflow.js', import.meta.url), {
        env: { CLEW_CONTEXT_STORE: store },
      });
      assert.deepEqual(JSON.parse(stdout), []);
    });

    it('does not bring contexts back from before `disable`', async () => {
      let late: unknown = 'not called';
      const flow = manager.with(named('old'), async () => {
        await immediate();
        late = nameOf();
      });
      const timer = manager.with(
        named('old'),
        () => new Promise((resolve) => setTimeout(() => resolve(nameOf()), 1)),
      );
      manager.disable();
      manager.enable();
      await manager.with(named('new'), async () => {
        await flow;
        assert.equal(nameOf(), 'new');
      });
      assert.equal(late, undefined);
      assert.equal(await timer, undefined);
    });

    it('only calls functions while it is disabled', async () => {
      const bound = manager.bind(named('a'), nameOf);
      manager.disable();
      assert.equal(manager.with(named('a'), nameOf), undefined);
      assert.equal(bound(), undefined);
      const token = manager.attach(named('a'));
      assert.equal(manager.active(), ROOT_CONTEXT);
      token.dispose();
      assert.deepEqual(
        manager.with(named('a'), (...args: number[]) => args, undefined, 1, 2, 3),
        [1, 2, 3],
      );
    });

    it('works without `enable`, as it does when an SDK forgets to call it', async () => {
      const fresh = new AsyncHooksContextManager({ store });
      const seen = await fresh.with(named('a'), async () => {
        await immediate();
        return fresh.active().getValue(KEY);
      });
      assert.equal(seen, 'a');
      fresh.disable();
    });

    it('keeps two managers apart', async () => {
      const other = new AsyncHooksContextManager({ store }).enable();
      const nameOfOther = (): unknown => other.active().getValue(KEY);
      await manager.with(named('a'), () =>
        other.with(named('b'), async () => {
          await immediate();
          assert.deepEqual([nameOf(), nameOfOther()], ['a', 'b']);
          manager.with(named('c'), () =>
            other.with(named('d'), () => assert.deepEqual([nameOf(), nameOfOther()], ['c', 'd'])),
          );
          assert.deepEqual([nameOf(), nameOfOther()], ['a', 'b']);
        }),
      );
      other.disable();
      assert.equal(manager.active(), ROOT_CONTEXT);
    });

    it('keeps out of the way of a foreign manager and of storages of the application', async () => {
      const foreign = new AsyncLocalStorageContextManager();
      const nameOfOther = (): unknown => foreign.active().getValue(KEY);
      await foreign.with(named('foreign'), async () => {
        await manager.with(named('a'), async () => {
          assert.deepEqual([nameOf(), nameOfOther()], ['a', 'foreign']);
          await immediate();
          // Entered inside, to stay: it outlives our `with`, and ours does not.
          manager.with(named('b'), () => foreign.attach(named('entered')));
          assert.deepEqual([nameOf(), nameOfOther()], ['a', 'entered']);
          foreign.disable();
          assert.deepEqual([nameOf(), nameOfOther()], ['a', undefined]);
        });
      });
      assert.equal(manager.active(), ROOT_CONTEXT);
    });

    it('carries through another realm', async () => {
      const realm = createRealm({ nameOf, setImmediate });
      const seen = await manager.with(
        named('a'),
        () =>
          runInContext(
            `(async () => {
              await null;
              const first = nameOf();
              await new Promise((resolve) => setImmediate(resolve));
              return [first, nameOf()];
            })()`,
            realm,
          ) as Promise<unknown[]>,
      );
      assert.deepEqual([...seen], ['a', 'a']);
      assert.equal(nameOf(), undefined);
    });

    for (const freeze of [Object.freeze, Object.seal, Object.preventExtensions]) {
      it(`survives promises under Object.${freeze.name}`, async () => {
        await manager.with(named('a'), async () => {
          const frozen = freeze(Promise.resolve());
          await frozen;
          const seen = await frozen.then(() => {
            const inside = manager.with(named('b'), nameOf);
            return [inside, nameOf()];
          });
          assert.deepEqual(seen, ['b', 'a']);
          assert.equal(nameOf(), 'a');
          const continuation = freeze(frozen.then(() => manager.with(named('c'), nameOf)));
          assert.equal(await continuation, 'c');
          assert.equal(nameOf(), 'a');
        });
        assert.equal(manager.active(), ROOT_CONTEXT);
      });
    }

    it('carries in a worker thread, apart from the main thread', async function () {
      this.timeout(120_000);
      const worker = new Worker(new URL('./fixtures/worker.js', import.meta.url), {
        workerData: store,
      });
      const [seen] = (await manager.with(named('main'), () => once(worker, 'message'))) as [
        unknown,
      ];
      assert.deepEqual(seen, ['worker', 'worker', 'none']);
      await worker.terminate();
    });

    describe('given bad input', () => {
      const heard = (run: () => void): string[] => {
        setLogLevel('info');
        try {
          return captureStderr(run);
        } finally {
          setLogLevel('none');
        }
      };

      for (const none of [undefined, null]) {
        it(`activates the root context for ${String(none)}, as OpenTelemetry's managers do`, () => {
          const oracle = new AsyncLocalStorageContextManager().enable();
          const observe = (observed: ContextManager): unknown[] => {
            const active = (): unknown => observed.active().getValue(KEY);
            return observed.with(named('a'), () => [
              observed.with(none as never, active),
              observed.bind(none as never, active)(),
              observed.with(none as never, async () => active()) instanceof Promise,
              active(),
            ]);
          };
          const theirs = observe(oracle);
          oracle.disable();
          const lines = heard(() => assert.deepEqual(observe(manager), theirs));
          assert.deepEqual(theirs, [undefined, undefined, true, 'a']);
          assert.equal(lines.length, 2);
          assert.match(lines[0] ?? '', /^clew: with\(\) needs a context, got .* The root context/);
          manager.with(named('a'), () => {
            assert.equal(manager.with(none as never, nameOf), undefined);
            assert.deepEqual(
              manager.with(none as never, (...args: number[]) => args, undefined, 1, 2, 3, 4),
              [1, 2, 3, 4],
            );
            const token = manager.attach(none as never);
            assert.equal(nameOf(), undefined);
            token.dispose();
            assert.equal(nameOf(), 'a');
          });
        });
      }

      for (const bad of [7, 'text', true]) {
        it(`calls the function in the active context for \`with\` of ${String(bad)}`, () => {
          manager.with(named('a'), () => {
            const lines = heard(() => {
              assert.equal(manager.with(bad as never, nameOf), 'a');
              assert.deepEqual(
                manager.with(bad as never, (...args: number[]) => args, undefined, 1, 2, 3),
                [1, 2, 3],
              );
            });
            assert.equal(lines.length, 1);
            assert.match(lines[0] ?? '', /^clew: with\(\) needs a context, got /);
            assert.equal(nameOf(), 'a');
          });
        });
      }

      it('calls nothing for `with` of no function', () => {
        const lines = heard(() => {
          for (const bad of [undefined, null, 7, {}]) {
            assert.equal(manager.with(named('a'), bad as never), undefined);
          }
        });
        assert.equal(lines.length, 1);
        assert.match(lines[0] ?? '', /^clew: with\(\) needs a function to call, got `undefined`/);
      });

      it('returns the function itself for `bind` to something that is no context', () => {
        const lines = heard(() => assert.equal(manager.bind(7 as never, nameOf), nameOf));
        assert.equal(lines.length, 1);
      });

      it('attaches nothing that is no context', () => {
        manager.with(named('a'), () => {
          const lines = heard(() => manager.attach(7 as never).dispose());
          assert.equal(lines.length, 1);
          assert.equal(nameOf(), 'a');
        });
      });

      it('returns a proxy that reveals nothing as it is', () => {
        const refuse = (): never => {
          throw new Error('hands off');
        };
        const proxy = new Proxy({}, { get: refuse, getPrototypeOf: refuse, has: refuse });
        assert.equal(manager.bind(named('a'), proxy), proxy);
      });
    });
  });
}
