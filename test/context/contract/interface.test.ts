import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

import {
  createContextKey,
  ROOT_CONTEXT,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';

import { oracles, ours, removed, rootOf } from './managers.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

for (const contestant of [...ours, ...oracles, removed]) {
  // The faults of the removed class, each of which is a test below.
  const isRemoved = contestant === removed;

  describe(`context manager contract: ${contestant.name}`, () => {
    let manager: ContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);

    let root: Context;

    before(function () {
      // The first run on a machine installs 3.x.
      this.timeout(180_000);
      root = rootOf(contestant);
    });

    beforeEach(() => {
      manager = contestant.make().enable();
    });

    afterEach(() => {
      manager.disable();
    });

    describe('active', () => {
      it('is the root context where none was activated', () => {
        assert.equal(manager.active(), root);
      });

      it('is the very context that was activated', () => {
        const context = named('a');
        assert.equal(
          manager.with(context, () => manager.active()),
          context,
        );
      });

      it('is the root context inside `with` of the root context', () => {
        manager.with(named('a'), () => {
          assert.equal(
            manager.with(root, () => manager.active()),
            root,
          );
          assert.equal(nameOf(), 'a');
        });
      });
    });

    describe('with', () => {
      it('returns what the function returns', () => {
        const result = {};
        assert.equal(
          manager.with(named('a'), () => result),
          result,
        );
      });

      it('passes the receiver and any number of arguments', () => {
        const receiver = {};
        for (let count = 0; count <= 6; count += 1) {
          const sent = Array.from({ length: count }, (_, index) => index);
          const got = manager.with(
            named('a'),
            function (this: unknown, ...args: number[]) {
              assert.equal(this, receiver);
              return args;
            },
            receiver,
            ...sent,
          );
          assert.deepEqual(got, sent);
        }
      });

      it('restores the outer context when it returns', () => {
        manager.with(named('a'), () => {
          manager.with(named('b'), () => {
            manager.with(named('c'), () => assert.equal(nameOf(), 'c'));
            assert.equal(nameOf(), 'b');
          });
          assert.equal(nameOf(), 'a');
        });
        assert.equal(manager.active(), root);
      });

      it('throws the very error of the function and restores the outer context', () => {
        const error = new Error('planted');
        manager.with(named('a'), () => {
          assert.throws(
            () =>
              manager.with(named('b'), () => {
                throw error;
              }),
            (thrown) => thrown === error,
          );
          assert.equal(nameOf(), 'a');
        });
        assert.equal(manager.active(), root);
      });

      it('returns the promise of an async function and leaves at its first await', async () => {
        const promise = manager.with(named('a'), async () => {
          await immediate();
          return nameOf();
        });
        assert.equal(manager.active(), root);
        assert.equal(await promise, 'a');
        assert.equal(manager.active(), root);
      });

      it('restores the context of an async function that rejects', async () => {
        await manager.with(named('a'), async () => {
          await assert.rejects(
            manager.with(named('b'), async () => {
              await immediate();
              throw new Error('planted');
            }),
            /planted/,
          );
          assert.equal(nameOf(), 'a');
        });
      });

      it('keeps concurrent flows apart', async () => {
        const flow = async (name: string): Promise<void> => {
          for (let turn = 0; turn < 5; turn += 1) {
            await (turn % 2 === 0 ? immediate() : Promise.resolve());
            assert.equal(nameOf(), name);
            await manager.with(named(`${name}/${turn}`), async () => {
              await immediate();
              assert.equal(nameOf(), `${name}/${turn}`);
            });
            assert.equal(nameOf(), name);
          }
        };
        await Promise.all(
          ['a', 'b', 'c', 'd'].map((name) => manager.with(named(name), () => flow(name))),
        );
        assert.equal(manager.active(), root);
      });
    });

    describe('async resources', () => {
      it('keeps timers of one list apart', async () => {
        const seen = await Promise.all(
          ['a', 'b', 'c'].map((name) =>
            manager.with(
              named(name),
              () => new Promise((resolve) => setTimeout(() => resolve(nameOf()), 1)),
            ),
          ),
        );
        assert.deepEqual(seen, ['a', 'b', 'c']);
      });

      it('carries the context through an interval until it is cleared', async () => {
        const seen: unknown[] = [];
        await new Promise<void>((resolve) => {
          manager.with(named('a'), () => {
            const interval = setInterval(() => {
              seen.push(nameOf());
              if (seen.length === 3) {
                clearInterval(interval);
                resolve();
              }
            }, 1);
          });
        });
        assert.deepEqual(seen, ['a', 'a', 'a']);
      });

      it('carries the context through ticks, microtasks and immediates', async () => {
        const seen = await manager.with(named('a'), () =>
          Promise.all([
            new Promise((resolve) => process.nextTick(() => resolve(nameOf()))),
            new Promise((resolve) => queueMicrotask(() => resolve(nameOf()))),
            new Promise((resolve) => setImmediate(() => resolve(nameOf()))),
          ]),
        );
        assert.deepEqual(seen, ['a', 'a', 'a']);
      });

      it('runs a callback in the context of its async resource', () => {
        const resource = manager.with(named('a'), () => new AsyncResource('PROBE'));
        manager.with(named('b'), () => {
          assert.equal(resource.runInAsyncScope(nameOf), 'a');
          assert.equal(nameOf(), 'b');
        });
      });

      it('runs a continuation where it was attached, whichever code resolves it', async () => {
        let resolve!: () => void;
        const promise = new Promise<void>((fulfil) => {
          resolve = fulfil;
        });
        const seen = manager.with(named('a'), () => promise.then(nameOf));
        manager.with(named('b'), () => resolve());
        assert.equal(await seen, 'a');
      });

      it('carries the context through thenables', async () => {
        const thenable = {
          // oxlint-disable-next-line unicorn/no-thenable
          then(fulfil: (value: unknown) => void) {
            fulfil(nameOf());
          },
        };
        const seen = await manager.with(named('a'), async () => [await thenable, nameOf()]);
        assert.deepEqual(seen, ['a', 'a']);
      });

      it('carries the context through async generators', async () => {
        const seen: unknown[] = [];
        async function* generate(): AsyncGenerator<unknown> {
          for (let index = 0; index < 3; index += 1) {
            await delay(1);
            yield nameOf();
          }
        }
        await manager.with(named('a'), async () => {
          for await (const name of generate()) seen.push(name, nameOf());
        });
        assert.deepEqual(
          seen,
          Array.from({ length: 6 }, () => 'a'),
        );
      });

      if (isRemoved) {
        it('loses the context after re-entry through an async resource created outside', () => {
          const outside = new AsyncResource('PROBE');
          manager.with(named('a'), () => {
            outside.runInAsyncScope(nameOf);
            assert.equal(nameOf(), undefined);
          });
        });
      } else {
        it('finds the context again after re-entry through an async resource created outside', () => {
          const outside = new AsyncResource('PROBE');
          manager.with(named('a'), () => {
            assert.equal(outside.runInAsyncScope(nameOf), undefined);
            assert.equal(nameOf(), 'a');
            manager.with(named('b'), () => {
              outside.runInAsyncScope(() => {
                manager.with(named('c'), () => assert.equal(nameOf(), 'c'));
                assert.equal(nameOf(), undefined);
              });
              assert.equal(nameOf(), 'b');
            });
            assert.equal(nameOf(), 'a');
          });
        });
      }
    });

    describe('bind of a function', () => {
      it('runs the function in the context, wherever it is called', () => {
        const bound = manager.bind(named('a'), nameOf);
        assert.equal(bound(), 'a');
        manager.with(named('b'), () => {
          assert.equal(bound(), 'a');
          assert.equal(nameOf(), 'b');
        });
      });

      it('passes the receiver and any number of arguments', () => {
        const bound = manager.bind(named('a'), function (this: unknown, ...args: number[]) {
          return [this, nameOf(), ...args];
        });
        const receiver = {};
        for (let count = 0; count <= 6; count += 1) {
          const sent = Array.from({ length: count }, (_, index) => index);
          assert.deepEqual(bound.apply(receiver, sent), [receiver, 'a', ...sent]);
        }
      });

      it('keeps the length', () => {
        const functions = [
          () => undefined,
          (a: number) => a,
          (a: number, b: number, c: number, d: number, e: number) => a + b + c + d + e,
        ];
        for (const fn of functions) assert.equal(manager.bind(named('a'), fn).length, fn.length);
      });

      it('throws the very error of the function', () => {
        const error = new Error('planted');
        const bound = manager.bind(named('a'), () => {
          throw error;
        });
        assert.throws(bound, (thrown) => thrown === error);
        assert.equal(manager.active(), root);
      });

      it('returns anything that is neither a function nor an emitter as it is', () => {
        for (const target of [undefined, null, 1, 'text', { on: true }]) {
          assert.equal(manager.bind(named('a'), target), target);
        }
      });
    });

    describe('enable and disable', () => {
      it('may be called twice', () => {
        assert.equal(manager.enable().enable(), manager);
        assert.equal(
          manager.with(named('a'), () => nameOf()),
          'a',
        );
        assert.equal(manager.disable().disable(), manager);
        assert.equal(manager.active(), root);
      });

      it('has the root context active after `disable` in the middle of a callback', () => {
        manager.with(named('a'), () => {
          manager.disable();
          assert.equal(manager.active(), root);
        });
        assert.equal(manager.active(), root);
      });

      it('carries again after `enable`', async () => {
        manager.with(named('a'), () => manager.disable());
        manager.enable();
        const seen = await manager.with(named('b'), async () => {
          await immediate();
          return nameOf();
        });
        assert.equal(seen, 'b');
      });
    });
  });
}
