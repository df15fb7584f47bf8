import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { BenchmarkGroup, Metrics } from './group.ts';

/** What one operation cost in each round, by variant. */
export type Samples = Map<string, (number | Metrics)[]>;

export interface Amount {
  rounds: number;
  generations: number;
}

const EXEC_ARGV: readonly string[] = [
  // One thread for all of it: helpers of the collector that wait for a core count as CPU, too.
  '--single-threaded-gc',
  // The first collections decide by chance, and for the life of a process, whether what a call makes
  // is allocated as something old. That is worth half a microsecond per call either way.
  '--no-allocation-site-pretenuring',
  // A young generation that stays in the processor's caches. Where it does not (16 MB), what is
  // measured is the memory of the machine, which after the other variants' turns is slow for a while.
  '--max-semi-space-size=4',
];
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/**
 * Measures one case: a process per variant, all alive, and rounds in turn, there and back again (A B C,
 * C B A), so that whatever else the machine does hits every variant alike. Where the compiler puts its code differs
 * from process to process and is worth some percent, so the rounds are spread over `generations` of
 * processes.
 */
export async function runCase(
  group: BenchmarkGroup,
  groupFile: string,
  caseName: string,
  variants: readonly string[],
  { rounds, generations }: Amount,
): Promise<Samples> {
  const samples: Samples = new Map(variants.map((variant) => [variant, []]));
  for (let left = generations, made = 0; left > 0; left -= 1) {
    const share = Math.ceil((rounds - made) / left);
    made += share;
    if (share > 0) await runGeneration(group, groupFile, caseName, samples, share);
  }
  return samples;
}

async function runGeneration(
  group: BenchmarkGroup,
  groupFile: string,
  caseName: string,
  samples: Samples,
  rounds: number,
): Promise<void> {
  const children = new Map<string, ChildProcess>();
  try {
    for (const variant of samples.keys()) {
      const { execArgv = EXEC_ARGV, env = {}, cwd } = group.launch?.(variant) ?? {};
      const child = fork(CHILD, [groupFile, caseName, variant], {
        execArgv: [...execArgv],
        env: { ...process.env, ...env },
        cwd,
      });
      children.set(variant, child);
      try {
        await answer(child, `${caseName}, ${variant}`);
      } catch (error) {
        if (variant === group.baseline) throw error;
        // One tool that does not do what is measured leaves the others to be compared.
        console.error(`FAILED: ${String(error)}`);
        process.exitCode = 1;
        children.delete(variant);
        samples.delete(variant);
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      // There and back again, so that none is always the one after another.
      const inTurn = round % 2 === 0 ? [...children] : [...children].toReversed();
      for (const [variant, child] of inTurn) {
        child.send('round');
        const { cost } = (await answer(child, `${caseName}, ${variant}`)) as {
          cost: number | Metrics;
        };
        samples.get(variant)?.push(cost);
      }
    }
  } finally {
    for (const child of children.values()) {
      if (!child.connected) continue;
      child.send('close');
      await once(child, 'exit');
    }
  }
}

async function answer(child: ChildProcess, what: string): Promise<unknown> {
  const gone = new AbortController();
  const exited = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
    throw new Error(`Cannot measure ${what}: its process ended with code ${String(code)}`);
  });
  // Aborted below once the answer is there.
  exited.catch(() => undefined);
  try {
    const [message] = (await Promise.race([once(child, 'message'), exited])) as [unknown];
    return message;
  } finally {
    gone.abort();
  }
}
