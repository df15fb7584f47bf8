import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { getInstrumentations } from '../../../src/instrumentation/index.ts';
import { enableRules } from '../../../src/instrumentation/rules/index.ts';
import { as, store } from '../wrap/support.ts';

const require = createRequire(import.meta.url);

describe('a method that a client and a rule care for', () => {
  it('is replaced once: the factory of generic-pool', async () => {
    // Classes of its own: other tests may have left theirs with another owner.
    for (const file of Object.keys(require.cache)) {
      if (/[/\\]generic-pool[/\\]/.test(file)) delete require.cache[file];
    }
    const undoRules = enableRules();
    const clients = getInstrumentations().filter(
      ({ instrumentationName }) => instrumentationName === 'clew/generic-pool',
    );
    for (const client of clients) client.enable();
    try {
      const { createPool } = require('generic-pool') as typeof import('generic-pool');
      let stack = '';
      let seen: unknown = 'nothing';
      const pool = createPool({
        create: async () => {
          seen = store.getStore();
          stack = new Error('probe').stack ?? '';
          return {};
        },
        destroy: async () => undefined,
      });
      await as('A', async () => pool.release(await pool.acquire()));
      assert.equal(seen, undefined);
      const ours = stack
        .split('\n')
        .filter((line) => /instrumentation[/\\](wrap|clients)/.test(line));
      assert.ok(ours.length > 0);
      assert.equal(
        ours.filter((line) => /home|_createResource.*clients/.test(line)).length,
        1,
        stack,
      );
    } finally {
      for (const client of clients) client.disable();
      undoRules();
    }
  });
});
