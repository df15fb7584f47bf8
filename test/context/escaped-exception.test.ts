import assert from 'node:assert/strict';

import { hasAsyncContextFrame } from '../../src/async/runtime.ts';
import { runFixture } from '../support/run-fixture.ts';
import { STORES } from './contract/managers.ts';

interface Report {
  handler: unknown[];
  later: unknown[];
  collected: boolean;
}

async function crash(where: string, caughtBy: string, whose: string): Promise<Report> {
  const ours = whose === 'otel' ? {} : { env: { CLEW_CONTEXT_STORE: whose } };
  const { stdout } = await runFixture(new URL('./fixtures/crash.js', import.meta.url), {
    args: [where, caughtBy, whose],
    ...ours,
  });
  return JSON.parse(stdout) as Report;
}

/** Where the exception escapes, and whether the hook store on a Node with frames sees it alike. */
const PLACES: Record<string, boolean> = {
  tick: true,
  'tick in a with': true,
  'stream error': true,
  timer: true,
  immediate: true,
  listener: true,
  rejection: true,
  // The microtask has ended for the hook when its exception is reported, and not for the frame.
  microtask: false,
};

const NOWHERE = Array.from({ length: 6 }, () => 'none');

describe('an exception that escapes a callback', function () {
  this.timeout(120_000);

  for (const store of STORES) {
    // Each place in the store of this Node; in the others, the place that needs healing.
    const places = store === STORES[0] ? Object.entries(PLACES) : [['tick', true] as const];
    for (const [where, alike] of places) {
      it(`leaves no context behind: ${where}, ${store} store`, async () => {
        const report = await crash(where, 'event', store);
        assert.deepEqual(report.later, NOWHERE);
        assert.equal(report.collected, true);
        if (store === 'hook' && hasAsyncContextFrame && !alike) return;
        const oracle = await crash(where, 'event', 'otel');
        assert.deepEqual(report.handler, oracle.handler);
      });
    }

    for (const caughtBy of ['capture', 'domain']) {
      it(`leaves no context behind where it is caught by a ${caughtBy}, ${store} store`, async () => {
        const report = await crash('tick', caughtBy, store);
        assert.deepEqual(report.handler, ['crashed', 'crashed']);
        assert.deepEqual(report.later, NOWHERE);
        assert.equal(report.collected, true);
      });
    }
  }

  if (hasAsyncContextFrame) {
    it("stays the context of every later connection with OpenTelemetry's manager", async () => {
      const report = await crash('tick', 'event', 'otel');
      assert.ok(report.later.includes('crashed'));
      assert.equal(report.collected, false);
    });
  }
});
