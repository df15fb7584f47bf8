import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setImmediate as immediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

import type * as Clew from '../../src/index.ts';
import { AsyncHooksContextManager } from '../../src/index.ts';

const KEY = createContextKey('name');
const named = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);

describe('two copies of the package', () => {
  const copy = fileURLToPath(new URL('../../second-copy/', import.meta.url));

  before(() => {
    cpSync(fileURLToPath(new URL('../../src/', import.meta.url)), copy, { recursive: true });
  });

  after(() => {
    rmSync(copy, { recursive: true });
  });

  it('keep their contexts apart and find listeners on an emitter that both have bound', async () => {
    const other = (await import(`${copy}index.js`)) as typeof Clew;
    assert.notEqual(other.AsyncHooksContextManager, AsyncHooksContextManager);
    const managers = [new AsyncHooksContextManager(), new other.AsyncHooksContextManager()];
    const [first, second] = managers as [AsyncHooksContextManager, AsyncHooksContextManager];
    const names = (): unknown[] => managers.map((manager) => manager.active().getValue(KEY));
    for (const manager of managers) manager.enable();

    await first.with(named('a'), () =>
      second.with(named('b'), async () => {
        await immediate();
        assert.deepEqual(names(), ['a', 'b']);
        await first.with(named('c'), async () => {
          await immediate();
          assert.deepEqual(names(), ['c', 'b']);
        });
        assert.deepEqual(names(), ['a', 'b']);
      }),
    );
    assert.deepEqual(names(), [undefined, undefined]);

    const emitter = second.bind(named('b'), first.bind(named('a'), new EventEmitter()));
    const seen: unknown[] = [];
    const listener = (): void => void seen.push(names());
    emitter.on('event', listener).once('event', listener);
    emitter.emit('event');
    assert.deepEqual(seen, [
      ['a', 'b'],
      ['a', 'b'],
    ]);
    assert.deepEqual(emitter.listeners('event'), [listener]);
    emitter.off('event', listener);
    assert.equal(emitter.listenerCount('event'), 0);
    for (const manager of managers) manager.disable();
  });

  it('are one where CommonJS requires what ESM imports', () => {
    const required = createRequire(import.meta.url)('../../src/index.js') as typeof Clew;
    assert.equal(required.AsyncHooksContextManager, AsyncHooksContextManager);
  });
});
