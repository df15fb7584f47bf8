import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';

import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

import type { BenchmarkCase, BenchmarkGroup } from '../harness/group.ts';
import { makeManager, MANAGERS, type AttachingManager } from '../harness/managers.ts';

/*
 * How the managers grow: with the requests that are in flight at once, each in a context of its own, and
 * with the depth of async functions below a context.
 */
const KEY = createContextKey('request');
const STEPS = 5;

/** Requests that found another context than their own. */
let wrong = 0;

async function request(manager: AttachingManager, index: number): Promise<void> {
  const context = ROOT_CONTEXT.setValue(KEY, index);
  await manager.with(context, async () => {
    const own = manager.active();
    for (let step = 0; step < STEPS; step += 1) await immediate();
    if (manager.active() !== own) wrong += 1;
  });
}

async function nested(depth: number): Promise<number> {
  if (depth === 0) {
    await immediate();
    return 0;
  }
  return 1 + (await nested(depth - 1));
}

function inFlight(atOnce: number): BenchmarkCase {
  return {
    name: `${atOnce} in flight`,
    prepare: (variant) => {
      const manager = makeManager(variant);
      const run = async (count: number): Promise<void> => {
        for (let started = 0; started < count; started += atOnce) {
          await Promise.all(
            Array.from({ length: atOnce }, (_, index) => request(manager, started + index)),
          );
        }
      };
      return {
        preflight: async () => {
          await run(atOnce);
          assert.equal(wrong, 0);
        },
        run,
        count: Math.max(5000, atOnce),
      };
    },
  };
}

function depth(levels: number): BenchmarkCase {
  return {
    name: `${levels} async functions deep`,
    prepare: (variant) => {
      const manager = makeManager(variant);
      const context = ROOT_CONTEXT.setValue(KEY, levels);
      const run = async (count: number): Promise<void> => {
        for (let made = 0; made < count; made += 1) {
          await manager.with(context, async () => {
            const own = manager.active();
            await nested(levels);
            if (manager.active() !== own) wrong += 1;
          });
        }
      };
      return {
        preflight: async () => {
          await run(1);
          assert.equal(wrong, 0);
        },
        run,
      };
    },
  };
}

export const group: BenchmarkGroup = {
  description:
    'how the context managers grow: CPU of a request by the number in flight, and of a call by its depth',
  mark: 'bench-growth',
  variants: MANAGERS.filter((name) => name !== 'clew-public'),
  baseline: 'none',
  ours: ['clew'],
  peers: ['otel-als', 'otel-als-3'],
  quick: {
    cases: [
      '1 in flight',
      '100 in flight',
      '10000 in flight',
      '1 async functions deep',
      '1000 async functions deep',
    ],
    variants: ['clew', 'otel-als', 'otel-als-3'],
  },
  cases: [...[1, 10, 100, 1000, 10_000].map(inFlight), ...[1, 10, 100, 1000].map(depth)],
};
