import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { Target } from './target.ts';

/** What one input may take, in milliseconds of CPU time: 128 KB take less than a tenth of it. */
const MAX_CPU_MILLIS = 2000;

export interface RunOptions {
  seed: number;
  numRuns: number;
  /** Ends before `numRuns` when this is over. */
  seconds?: number;
  /** Is called before each input with its number, from 1 on. */
  onRun?: (done: number) => void;
}

/** Runs a target; rejects with the smallest input that fails. Returns how many were tried. */
export async function runTarget(target: Target, options: RunOptions): Promise<number> {
  const { seed, numRuns, seconds, onRun } = options;
  let done = 0;
  const property = fc.asyncProperty(target.input, async (input) => {
    done += 1;
    onRun?.(done);
    await assertCpuTime(() => target.check(input));
  });
  await fc.assert(property, {
    seed,
    numRuns,
    ...(seconds === undefined
      ? {}
      : { interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false }),
  });
  return done;
}

/** Fails where `check` takes longer than any input may. */
export async function assertCpuTime(check: () => void | Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  await check();
  const millis = Math.round(process.cpuUsage(before).user / 1e3);
  assert.ok(millis < MAX_CPU_MILLIS, `it took ${millis} ms of CPU time`);
}
