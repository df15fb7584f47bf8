import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook, executionAsyncId, triggerAsyncId } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { OperationResource } from '../../src/carry/operation-resource.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('OperationResource', () => {
  it('runs work in the context where it was requested', () => {
    const store = new AsyncLocalStorage<string>();
    const operation = store.run('caller', () => new OperationResource('TestQuery'));
    store.run('releaser', () => {
      assert.equal(
        operation.run(() => store.getStore(), undefined),
        'caller',
      );
      assert.equal(store.getStore(), 'releaser');
    });
  });

  it('passes this, arguments and the result through', () => {
    const operation = new OperationResource('TestQuery');
    const self = {};
    const seen = operation.run(
      function (this: object, a: number, b: string) {
        return [this, a, b];
      },
      self,
      1,
      'two',
    );
    assert.deepEqual(seen, [self, 1, 'two']);
    assert.equal((seen as unknown[])[0], self);
  });

  it('restores the context when the work throws', () => {
    const store = new AsyncLocalStorage<string>();
    const operation = store.run('caller', () => new OperationResource('TestQuery'));
    const error = new Error('planted');
    store.run('releaser', () => {
      assert.throws(
        () =>
          operation.run(() => {
            throw error;
          }, undefined),
        error,
      );
      assert.equal(store.getStore(), 'releaser');
    });
  });

  it('may be entered again while it runs', () => {
    const store = new AsyncLocalStorage<string>();
    const operation = store.run('caller', () => new OperationResource('TestQuery'));
    const seen: (string | undefined)[] = [];
    store.run('releaser', () => {
      operation.run(() => {
        operation.run(() => void seen.push(store.getStore()), undefined);
        seen.push(store.getStore());
      }, undefined);
      seen.push(store.getStore());
    });
    assert.deepEqual(seen, ['caller', 'caller', 'releaser']);
  });

  it('shows its type and description, and is triggered by what requested it', () => {
    const types: string[] = [];
    const hook = createHook({ init: (_id, type) => void types.push(type) }).enable();
    const operation = new OperationResource('UTPNative', { description: 'GET key' });
    hook.disable();
    assert.ok(types.includes('UTPNative'));
    assert.equal(operation.description, 'GET key');
    assert.equal(operation.triggerAsyncId(), executionAsyncId());
    operation.run(() => {
      assert.equal(executionAsyncId(), operation.asyncId());
      assert.equal(triggerAsyncId(), operation.triggerAsyncId());
    }, undefined);
  });

  it('is destroyed once, however often it is ended', async () => {
    const destroyed: number[] = [];
    const hook = createHook({ destroy: (id) => void destroyed.push(id) }).enable();
    const operation = new OperationResource('TestQuery');
    assert.equal(operation.ended, false);
    operation.end();
    operation.end();
    assert.equal(operation.ended, true);
    await tick();
    await tick();
    hook.disable();
    assert.deepEqual(
      destroyed.filter((id) => id === operation.asyncId()),
      [operation.asyncId()],
    );
  });

  it('is destroyed by the garbage collector when it is never ended', async () => {
    const destroyed = new Set<number>();
    const hook = createHook({ destroy: (id) => void destroyed.add(id) }).enable();
    const abandon = (): number => new OperationResource('TestQuery').asyncId();
    const id = abandon();
    for (let round = 0; round < 50 && !destroyed.has(id); round++) {
      globalThis.gc?.();
      await tick();
    }
    hook.disable();
    assert.ok(destroyed.has(id));
  });

  it('still runs what comes after its end', () => {
    const store = new AsyncLocalStorage<string>();
    const operation = store.run('caller', () => new OperationResource('TestQuery'));
    operation.end();
    assert.equal(
      operation.run(() => store.getStore(), undefined),
      'caller',
    );
  });

  it('leaves a stack overflow in the work an ordinary error', () => {
    // In a process of its own: what is tested for is that the process does not die.
    const fixture = fileURLToPath(new URL('../fixtures/rules/overflow.js', import.meta.url));
    const { stdout, status } = spawnSync(process.execPath, [fixture], { encoding: 'utf8' });
    assert.equal(stdout.trim(), 'RangeError caller RangeError caller');
    assert.equal(status, 0);
  });
});
