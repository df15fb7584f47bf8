import assert from 'node:assert/strict';

import { createContextKey, ROOT_CONTEXT, type ContextManager } from '@opentelemetry/api';

import { AsyncHooksContextManager } from '../../../src/context/async-hooks-context-manager.ts';
import type { AnyFunction } from '../../../src/context/context-store.ts';
import { oracle, ours, removed } from '../contract/managers.ts';
import { runCampaign } from './campaign.ts';
import { generate } from './program.ts';

const KEY = createContextKey('name');

/** A manager that, once in fifty times, leaves a context behind. */
function makeForgetful(): ContextManager {
  const manager = new AsyncHooksContextManager();
  const original = manager.with.bind(manager) as AnyFunction;
  let calls = 0;
  const forgetting: AnyFunction = (...args) => {
    calls += 1;
    if (calls % 50 === 0) manager.enterWith(ROOT_CONTEXT.setValue(KEY, 'forgotten'));
    return original(...args);
  };
  return Object.assign(manager, { with: forgetting as never });
}

describe('random programs', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);

  for (const { name, make } of [...ours, oracle]) {
    it(`see no wrong context: ${name}, seed ${seed}`, async function () {
      this.timeout(120_000);
      const report = await runCampaign({ make, seed, observations: 5000 });
      assert.deepEqual(report.failing, undefined, report.wrong.slice(0, 5).join('\n'));
      assert.ok(report.observations >= 5000);
    });
  }

  it('are the same for the same seed', () => {
    assert.deepEqual(generate(7, 40), generate(7, 40));
    assert.notDeepEqual(generate(7, 40), generate(8, 40));
  });

  it("find the fault of OpenTelemetry's removed manager, and a small program that shows it", async function () {
    this.timeout(120_000);
    const report = await runCampaign({ make: removed.make, seed: 1, observations: 20_000 });
    assert.ok(report.failing);
    assert.ok(JSON.stringify(report.failing.program).length < 400);
  });

  it('find a manager that forgets to restore', async function () {
    this.timeout(120_000);
    const report = await runCampaign({ make: makeForgetful, seed: 1, observations: 20_000 });
    assert.ok(report.failing);
  });
});
