import assert from 'node:assert/strict';

import { runFixture } from '../support/run-fixture.ts';
import { STORES } from './contract/managers.ts';

/** `MEMORY=full` is the whole proof; every run makes a tenth of it, in the store of this Node. */
const full = process.env['MEMORY'] === 'full';
const share = full ? 1 : 10;
const KINDS = {
  promises: 1_000_000,
  timers: 100_000,
  sockets: 10_000,
  attachments: 1_000_000,
  handovers: 1_000_000,
};
const MEGABYTE = 2 ** 20;

describe('memory of the context manager', () => {
  for (const store of full ? STORES : STORES.slice(0, 1)) {
    for (const [kind, count] of Object.entries(KINDS)) {
      const amount = count / share;
      it(`is free again after ${amount} ${kind} under a context each, ${store} store`, async function () {
        this.timeout(120_000);
        const { stdout } = await runFixture(new URL('./fixtures/memory.js', import.meta.url), {
          args: [kind, String(amount)],
          env: { CLEW_CONTEXT_STORE: store },
          timeout: 60_000,
        });
        const { growth, watched, kept } = JSON.parse(stdout) as Record<string, number>;
        // Whatever is left, it is not in proportion to what was made.
        assert.ok((growth ?? Infinity) < 2 * MEGABYTE, `the heap grew by ${growth} bytes`);
        assert.ok((watched ?? 0) >= 20);
        assert.equal(kept, 0);
      });
    }

    it(`does not keep the process alive, ${store} store`, async () => {
      const { stdout } = await runFixture(new URL('./fixtures/idle.js', import.meta.url), {
        env: { CLEW_CONTEXT_STORE: store },
      });
      assert.equal(stdout, 'done');
    });
  }
});
