import { inspect, parseArgs } from 'node:util';

import { runTarget } from './run-target.ts';
import { TARGETS } from './targets.ts';
import { watch } from './watchdog.ts';

/*
 * npm run fuzz -- [--seconds 60] [--seed N] [--runs N] [target...]
 *
 * The seconds are for each target. A failure prints the smallest input, and the seed that finds it
 * again. The memory of the process is bounded by the script in package.json.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    runs: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31));
const seconds = Number(values.seconds);
const numRuns = Number(values.runs ?? 2 ** 31 - 1);
if (![seed, seconds, numRuns].every(Number.isSafeInteger)) {
  throw new TypeError('--seconds, --seed and --runs take whole numbers');
}
const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
let failed = 0;
for (const name of names) {
  const target = TARGETS[name];
  if (!target)
    throw new TypeError(`No target ${name}; there are ${Object.keys(TARGETS).join(', ')}`);
  const again = `npm run fuzz -- --seed ${seed}`;
  const watchdog = watch(`${name} hangs at input %: ${again} --runs % ${name}`);
  try {
    const done = await runTarget(target, { seed, numRuns, seconds, onRun: watchdog.progress });
    console.log(`${name}: ${done} inputs, seed ${seed}`);
  } catch (thrown) {
    failed++;
    const error = thrown as Error;
    console.error(`${name}: ${error.message}\n${inspect(error.cause)}`);
    console.error(`Again: ${again} --seconds ${seconds} ${name}`);
  } finally {
    watchdog.stop();
  }
}
process.exitCode = failed === 0 ? 0 : 1;
