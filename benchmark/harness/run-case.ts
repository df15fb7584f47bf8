import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What one operation cost in each round, by variant. */
export type Samples = Map<string, number[]>;

const EXEC_ARGV: readonly string[] = [
  // One thread for all of it: helpers of the collector that wait for a core count as CPU, too.
  '--single-threaded-gc',
  // The first collections decide by chance, and for the life of a process, whether what a call makes
  // is allocated as something old. That is worth half a microsecond per call either way.
  '--no-allocation-site-pretenuring',
];
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/**
 * Measures one case: a process per variant, all alive, and rounds in turn (A B C, A B C), so that
 * whatever else the machine does hits every variant alike.
 */
export async function runCase(
  groupFile: string,
  caseName: string,
  variants: readonly string[],
  rounds: number,
): Promise<Samples> {
  const children = new Map<string, ChildProcess>();
  const samples: Samples = new Map(variants.map((variant) => [variant, []]));
  try {
    for (const variant of variants) {
      const child = fork(CHILD, [groupFile, caseName, variant], { execArgv: [...EXEC_ARGV] });
      children.set(variant, child);
      await answer(child, `${caseName}, ${variant}`);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const [variant, child] of children) {
        child.send('round');
        const { cost } = (await answer(child, `${caseName}, ${variant}`)) as { cost: number };
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
  return samples;
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
