import { BARE, type PreloadMode } from './modes.ts';
import { runProgram, type Outcome, type Program } from './run-program.ts';

/** A test that passes bare, twice, and fails under clew, twice. */
export interface Difference {
  name: string;
  mode: string;
  outcome: Outcome;
  /** Fails with an empty preload and an AsyncLocalStorage in place of clew, too. */
  withoutClew: boolean;
}

export interface Comparison {
  /** What does not pass bare, on this machine or with this Node, says nothing about clew. */
  bare: 'passes' | 'fails' | 'skips';
  differences: Difference[];
  /** The ways to start it that failed once and passed once. */
  unsteady: string[];
}

/** Runs a test bare and under each of the preloads. */
export async function compare(
  program: Program,
  preloads: readonly PreloadMode[],
  endpoint: string,
): Promise<Comparison> {
  const comparison: Comparison = { bare: 'passes', differences: [], unsteady: [] };
  const started = performance.now();
  const bare = await runProgram(program, BARE, endpoint);
  if (!bare.passed || bare.skipped) return { ...comparison, bare: bare.passed ? 'skips' : 'fails' };
  // One that starts a hundred processes pays for each of them.
  const timeoutMillis = program.timeoutMillis + 10 * (performance.now() - started);
  const slower = { ...program, timeoutMillis };
  for (const mode of preloads) {
    if ((await runProgram(slower, mode, endpoint)).passed) continue;
    const again = await runProgram(slower, mode, endpoint);
    if (again.passed || !(await runProgram(program, BARE, endpoint)).passed) {
      comparison.unsteady.push(mode.name);
      continue;
    }
    const withoutClew = !(await runProgram(slower, mode.control, endpoint)).passed;
    comparison.differences.push({
      name: program.name,
      mode: mode.name,
      outcome: again,
      withoutClew,
    });
  }
  return comparison;
}

/** Whether a test passes bare and under clew. */
export function isSame({ bare, differences, unsteady }: Comparison): boolean {
  return bare === 'passes' && differences.length + unsteady.length === 0;
}
