import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';

import { spy } from 'sinon';

import { GuardedHook } from '../../src/async/guarded-hook.ts';

describe('GuardedHook', () => {
  it('reports the life of an async resource in order', () => {
    const events: string[] = [];
    let id = 0;
    const record = (event: string) => (asyncId: number) => {
      if (asyncId === id) events.push(event);
    };
    const hook = new GuardedHook({
      name: 'test',
      trackPromises: true,
      callbacks: {
        init: (asyncId, type) => {
          if (type === 'PROBE') {
            id = asyncId;
            events.push('init');
          }
        },
        before: record('before'),
        after: record('after'),
      },
    });
    hook.enable();
    new AsyncResource('PROBE').runInAsyncScope(() => undefined);
    hook.disable();
    assert.deepEqual(events, ['init', 'before', 'after']);
  });

  for (const event of ['init', 'before', 'after', 'destroy', 'promiseResolve'] as const) {
    it(`turns itself off and lets the application run on when ${event} throws`, async () => {
      const onFailure = spy();
      const hook = new GuardedHook({
        name: 'test',
        trackPromises: true,
        callbacks: {
          [event]: () => {
            throw new Error('planted');
          },
        },
        onFailure,
      });
      hook.enable();
      const resource = new AsyncResource('PROBE', { requireManualDestroy: true });
      resource.runInAsyncScope(() => undefined);
      resource.emitDestroy();
      await Promise.resolve();
      // `destroy` is delivered from a queue that drains after this turn.
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(hook.enabled, false);
      assert.equal(onFailure.callCount, 1);
    });
  }
});

describe('GuardedHook at the end of the stack', () => {
  it('stays on when the application ran out of stack in one of its callbacks', () => {
    let calls = 0;
    const recurse = (): number => 1 + recurse();
    const hook = new GuardedHook({
      name: 'test',
      trackPromises: true,
      callbacks: {
        init: () => {
          calls += 1;
          recurse();
        },
      },
    });
    hook.enable();
    void new AsyncResource('PROBE', { requireManualDestroy: true });
    void new AsyncResource('PROBE', { requireManualDestroy: true });
    assert.equal(hook.enabled, true);
    hook.disable();
    assert.equal(calls, 2);
  });
});
