import { BARE, PRELOADS } from './modes.ts';
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
  /** False: fails bare, on this machine or with this Node, and says nothing about clew. */
  passesBare: boolean;
  differences: Difference[];
  /** The ways to start it that failed once and passed once. */
  unsteady: string[];
}

/** Runs a test bare and under each preload. */
export async function compare(program: Program, endpoint: string): Promise<Comparison> {
  const comparison: Comparison = { passesBare: false, differences: [], unsteady: [] };
  const started = performance.now();
  if (!(await runProgram(program, BARE, endpoint)).passed) return comparison;
  comparison.passesBare = true;
  // One that starts a hundred processes pays for each of them.
  const timeoutMillis = program.timeoutMillis + 10 * (performance.now() - started);
  const slower = { ...program, timeoutMillis };
  for (const mode of PRELOADS) {
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
