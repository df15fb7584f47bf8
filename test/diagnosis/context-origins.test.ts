import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { AsyncHooksContextManager } from '../../src/context/async-hooks-context-manager.ts';
import { ContextOrigins, originRecord } from '../../src/diagnosis/collector/context-origins.ts';
import { ContextLossMarks } from '../../src/diagnosis/context-loss-marks.ts';
import { ContextLossDetector } from '../../src/diagnosis/detector.ts';

const KEY = createContextKey('origin');
const methodOf = (manager: object): unknown => Reflect.get(manager, 'with');
const contextOf = (value: number): Context => ROOT_CONTEXT.setValue(KEY, value);

for (const [name, create] of [
  ['clew', () => new AsyncHooksContextManager()],
  ['OpenTelemetry', () => new AsyncLocalStorageContextManager()],
] as const) {
  describe(`the origin of a context, with the manager of ${name},`, () => {
    let manager: ContextManager;
    let origins: ContextOrigins;
    let undo: () => void;

    beforeEach(() => {
      manager = create().enable();
      origins = new ContextOrigins();
      undo = origins.watch(manager);
    });
    afterEach(() => {
      undo();
      manager.disable();
    });

    /** The functions on the stack of the activation of the context that is active. */
    const path = (): (string | undefined)[] | undefined =>
      originRecord(origins.of(manager.active()))?.stack.map(({ fn }) => fn);

    it('goes with it through awaits and timers, apart for three callers at once', async () => {
      const caller = (value: number): Promise<unknown> =>
        manager.with(contextOf(value), async () => {
          const before = origins.of(manager.active());
          await sleep(value);
          assert.equal(origins.of(manager.active()), before);
          assert.equal((before?.context as Context | undefined)?.getValue(KEY), value);
          assert.ok((originRecord(before)?.millis ?? -1) >= 0);
          return path();
        });
      const paths = await Promise.all([3, 1, 2].map(caller));
      for (const each of paths) assert.equal((each as string[])[0], 'caller');
      assert.equal(origins.of(manager.active()), undefined);
    });

    it('is that of the inner one, and of the outer one again behind it', () => {
      function outer(): void {
        manager.with(contextOf(1), () => {
          inner();
          assert.equal(path()?.[0], 'outer');
        });
      }
      const inner = (): void =>
        manager.with(contextOf(2), () => assert.equal(path()?.[0], 'inner'));
      outer();
    });

    it('is unknown of a context that came there in another way', () => {
      const one = contextOf(1);
      manager.with(one, () => {
        assert.equal(origins.of(contextOf(1)), undefined);
        assert.notEqual(origins.of(one), undefined);
      });
      assert.equal(origins.of(undefined), undefined);
    });

    it('passes on results, errors, this and arguments', () => {
      const self = {};
      const result = manager.with(
        contextOf(1),
        function (this: unknown, a: number, b: number) {
          assert.equal(this, self);
          return a + b;
        },
        self,
        1,
        2,
      );
      assert.equal(result, 3);
      const error = new Error('of the application');
      const fails = (): void => {
        throw error;
      };
      assert.throws(
        () => manager.with(contextOf(1), fails),
        (thrown) => thrown === error,
      );
    });

    it('is kept for so many in a second, and the others run as before', () => {
      let known = 0;
      for (let i = 0; i < 2000; i++) {
        manager.with(contextOf(i), () => {
          assert.equal(manager.active().getValue(KEY), i);
          if (origins.of(manager.active())) known++;
        });
      }
      // A run that takes some seconds has the stacks of some seconds.
      assert.ok(known >= 200 && known < 2000, String(known));
    });

    it('is nothing any more after the undo, and the methods are as they were', () => {
      undo();
      const { prototype } = manager.constructor as { prototype: ContextManager };
      const bare = create();
      assert.equal(methodOf(manager), methodOf(bare));
      assert.equal(Object.hasOwn(manager, 'with'), false);
      assert.equal(methodOf(manager), methodOf(prototype));
      manager.with(contextOf(1), () => assert.equal(origins.of(manager.active()), undefined));
    });
  });
}

describe('the origin of a context', () => {
  it('is that of an attachment, too, until that ends', async () => {
    const manager = new AsyncHooksContextManager().enable();
    const origins = new ContextOrigins();
    const undo = origins.watch(manager);
    try {
      await sleep(0);
      function attaches(): { [Symbol.dispose]?(): void } {
        return manager.attach(contextOf(1));
      }
      const token = attaches();
      await sleep(1);
      assert.equal(originRecord(origins.of(manager.active()))?.stack[0]?.fn, 'attaches');
      token[Symbol.dispose]?.();
      assert.equal(origins.of(manager.active()), undefined);
    } finally {
      undo();
      manager.disable();
    }
  });

  it('costs nothing where no doctor is, and where only losses are marked', () => {
    const bare = methodOf(AsyncHooksContextManager.prototype);
    const manager = new AsyncHooksContextManager().enable();
    context.setGlobalContextManager(manager);
    const marks = new ContextLossMarks().start();
    assert.equal(methodOf(manager), bare);
    marks.stop();
    const detector = new ContextLossDetector({ setup: false }).start();
    assert.notEqual(methodOf(manager), bare);
    detector.stop();
    assert.equal(methodOf(manager), bare);
    context.disable();
  });
});
