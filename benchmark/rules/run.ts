import { AsyncLocalStorage } from 'node:async_hooks';
import { cpus, loadavg } from 'node:os';

import { cases, type Unit } from './cases.ts';

/*
 * What a rule costs for one unit of work, beside the library as it is: `npm run bench:rules`.
 * The two variants of a case take turns in one process, under an active context; the figures are
 * CPU time, medians over the rounds, and only differences and ratios of one run are worth comparing.
 */
const ROUNDS = 21;
const UNITS = 20_000;
const store = new AsyncLocalStorage<string>();

async function perUnit(unit: Unit): Promise<number> {
  const before = unit.done();
  const start = process.cpuUsage();
  await unit.run(UNITS);
  const { user, system } = process.cpuUsage(start);
  if (unit.done() - before !== UNITS) throw new Error('the unit of work did not happen');
  return ((user + system) * 1000) / UNITS;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} x ${cpus().length}, load ${loadavg()[0]!.toFixed(1)}; ` +
    `ns of CPU per unit, medians of ${ROUNDS} rounds of ${UNITS}\n`,
);
console.log('| kind | unit | bare | with the rule | cost |\n| --- | --- | --- | --- | --- |');
for (const make of cases) {
  const { kind, subject, bare, ruled } = make();
  const times: [number[], number[]] = [[], []];
  await store.run('request', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      times[0].push(await perUnit(bare));
      times[1].push(await perUnit(ruled));
    }
  });
  const [without, with_] = [median(times[0]), median(times[1])];
  const cells = [without, with_, with_ - without].map((ns) => ns.toFixed(0));
  console.log(`| ${kind} | ${subject} | ${cells.join(' | ')} |`);
}
