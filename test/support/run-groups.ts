import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';

import { testGroups, type TestGroup } from './test-groups.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const LAST_LINE = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/;

/**
 * Runs the compiled tests under the executable `node`, two groups at once (`JOBS=1`: one), but for the files that
 * `isLeftOut` names. `args` go to mocha, except the test files among them: only those run then. The output of a
 * group is printed when it ends, with what failed in its last lines.
 */
export async function runGroups(
  node: string,
  args: readonly string[],
  isLeftOut: (file: string) => boolean = () => false,
): Promise<Counts> {
  const all = testGroups('build/test');
  const named = args.filter((arg) => arg.endsWith('.test.js')).map((arg) => relative('.', arg));
  const rest = args.filter((arg) => !arg.endsWith('.test.js'));
  const runs = (file: string): boolean =>
    named.length > 0 ? named.includes(file) : !isLeftOut(file);
  const waiting = all.filter(({ files }) => files.some(runs));
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const count = waiting.length;
  let done = 0;

  async function work(): Promise<void> {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      console.log(`running ${group.name}`);
      const others = all.flatMap(({ files }) => files).filter(isNotOf(group, runs));
      const began = performance.now();
      const { output, code } = await runMocha(node, [...rest, ...others.flatMap(ignored)]);
      const seconds = Math.round((performance.now() - began) / 1000);
      const counts = readCounts(output, code);
      for (const name of ['passed', 'failed', 'skipped'] as const) total[name] += counts[name];
      process.stdout.write(output);
      const lines = output.split('\n').filter((line) => line.startsWith('FAILED'));
      if (counts.failed > lines.length) lines.push(`FAILED: ${group.name} ended with code ${code}`);
      failures.push(...lines);
      done++;
      console.log(`\n${group.name} took ${seconds} s, ${done} of ${count} groups are done\n`);
    }
  }
  const jobs = Number(process.env['JOBS'] ?? Math.min(2, availableParallelism()));
  await Promise.all(Array.from({ length: jobs }, work));
  if (total.passed === 0 && total.failed === 0) {
    total.failed = 1;
    failures.push(`FAILED: no test matches ${args.join(' ')}`);
  }
  for (const failure of failures) console.log(failure);
  return total;
}

/** How every run ends, alone on its line. */
export function lastLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function isNotOf({ files }: TestGroup, runs: (file: string) => boolean): (file: string) => boolean {
  const own = new Set(files.filter(runs));
  return (file) => !own.has(file);
}

const ignored = (file: string): [string, string] => ['--ignore', file];

function readCounts(output: string, code: number | null): Counts {
  const [, passed, failed, skipped] = (LAST_LINE.exec(output) ?? []).map(Number);
  // A run that died before it counted is one failure, not none.
  const own = failed ?? 0;
  return {
    passed: passed ?? 0,
    failed: own === 0 && code !== 0 ? 1 : own,
    skipped: skipped ?? 0,
  };
}

/** Resolves with what mocha printed, standard error included. */
function runMocha(
  node: string,
  args: readonly string[],
): Promise<{ output: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    // A pattern may match nothing in one group.
    const child = spawn(node, [mocha, '--no-fail-zero', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => output.push(chunk));
    }
    child.once('error', reject).once('close', (code) => {
      resolve({ output: Buffer.concat(output).toString(), code });
    });
  });
}
