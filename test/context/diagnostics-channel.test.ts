import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { setImmediate as immediate } from 'node:timers/promises';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import { ours } from './contract/managers.ts';
import type { AsyncHooksContextManager } from '../../src/index.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

for (const contestant of ours) {
  describe(`diagnostics channel store: ${contestant.name}`, () => {
    let manager: AsyncHooksContextManager;
    const nameOf = (): unknown => manager.active().getValue(KEY);
    /** The manager in the shape that the types of Node 20 know. */
    const store = (): never => manager as never;

    beforeEach(() => {
      manager = contestant.make().enable();
    });

    afterEach(() => {
      manager.disable();
    });

    it('runs what a channel runs in the context that is made of its message', async () => {
      const bound = channel('clew:test:store');
      bound.bindStore(store(), (message) => named((message as { name: string }).name));
      const receiver = {};
      const seen = await bound.runStores(
        { name: 'a' },
        async function (this: unknown, ...args: unknown[]) {
          assert.equal(this, receiver);
          assert.deepEqual(args, [1, 2]);
          const before = nameOf();
          await immediate();
          return [before, nameOf()];
        },
        receiver,
        1,
        2,
      );
      assert.deepEqual(seen, ['a', 'a']);
      assert.equal(manager.active(), ROOT_CONTEXT);
      bound.unbindStore(store());
      assert.equal(bound.runStores({ name: 'b' }, nameOf), undefined);
    });

    it('runs the callback of a traced operation in the context of its start', async () => {
      const tracing = tracingChannel('clew:test:tracing');
      tracing.start.bindStore(store(), () => named('operation'));
      const seen = await tracing.tracePromise(async () => {
        await immediate();
        return nameOf();
      });
      assert.equal(seen, 'operation');
      tracing.start.unbindStore(store());
    });

    it('has the methods of an AsyncLocalStorage', () => {
      new AsyncResource('PROBE').runInAsyncScope(() => {
        assert.equal(manager.getStore(), undefined);
        assert.deepEqual(
          manager.run(named('a'), (...args: number[]) => [nameOf(), ...args], 1, 2),
          ['a', 1, 2],
        );
        const scope = manager.withScope(named('b'));
        assert.equal(manager.getStore()?.getValue(KEY), 'b');
        scope[Symbol.dispose]();
        assert.equal(manager.getStore(), undefined);
        manager.enterWith(named('c'));
        assert.equal(nameOf(), 'c');
        manager.enterWith(undefined);
        assert.equal(manager.getStore(), undefined);
      });
    });
  });
}
