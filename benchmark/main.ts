import { appendFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { environment, loadWarning } from './harness/environment.ts';
import type { BenchmarkGroup } from './harness/group.ts';
import { runCase, type Samples } from './harness/run-case.ts';
import { lowerQuartile, median, spread } from './harness/statistics.ts';

/*
 * npm run bench -- [group ...] [--case TEXT] [--variant NAME ...] [--rounds N]
 *                        [--generations N] [--json FILE]
 *
 * Prints, for each case, what an operation costs in each variant and its ratio to the baseline:
 * medians over the rounds, and the lower quartile's distance from that of the baseline, which rounds
 * that were disturbed do not reach. Ratios of one run may be compared, and nothing else.
 */
const GROUPS = fileURLToPath(new URL('./groups/', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: 'string' },
    variant: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '15' },
    generations: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

const known = readdirSync(GROUPS)
  .filter((file) => file.endsWith('.js'))
  .map((file) => basename(file, '.js'));
const unknown = positionals.filter((name) => !known.includes(name));
const uncounted = (['rounds', 'generations'] as const).find((name) => !(Number(values[name]) >= 1));
if (uncounted) {
  console.error(`--${uncounted} needs a number of at least 1, got ${values[uncounted]}.`);
  process.exitCode = 1;
} else if (unknown.length > 0) {
  console.error(`There is no group ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  process.exitCode = 1;
} else {
  const warning = loadWarning();
  if (warning) console.error(`warning: ${warning}`);
  const machine = environment();
  console.log(JSON.stringify(machine));
  if (values.json) appendFileSync(values.json, `${JSON.stringify(machine)}\n`);
  for (const name of positionals.length > 0 ? positionals : known) await runGroup(name);
}

async function runGroup(name: string): Promise<void> {
  const file = join(GROUPS, `${name}.js`);
  const { group } = (await import(file)) as { group: BenchmarkGroup };
  const rounds = Number(values.rounds);
  const generations = Number(values.generations);
  console.log(`\n${name}: ${group.description}`);
  for (const found of group.cases) {
    if (values.case && !found.name.includes(values.case)) continue;
    const variants = (found.variants ?? group.variants).filter(
      (variant) =>
        !values.variant || values.variant.includes(variant) || variant === group.baseline,
    );
    const samples = await runCase(file, found.name, variants, { rounds, generations });
    const unit = found.unit ?? 'ns CPU';
    console.log(`\n  ${found.name} (${unit})`);
    for (const line of table(samples, group.baseline)) console.log(`    ${line}`);
    if (!values.json) continue;
    for (const [variant, costs] of samples) {
      const record = { group: name, case: found.name, variant, unit, rounds, costs };
      appendFileSync(values.json, `${JSON.stringify(record)}\n`);
    }
  }
}

/** The median of the ratios of each round: what disturbs a whole round does not disturb it. */
function table(samples: Samples, baseline: string): string[] {
  const base = samples.get(baseline) ?? [];
  return [...samples].map(([variant, costs]) => {
    const ratio = median(costs.map((cost, round) => cost / (base[round] ?? Number.NaN)));
    const cost = median(costs);
    const above = lowerQuartile(costs) - lowerQuartile(base);
    const percent = (spread(costs) / cost) * 100;
    return `${variant.padEnd(16)} ${cost.toFixed(1).padStart(10)} ±${percent.toFixed(0).padStart(2)} %   ratio ${ratio.toFixed(2)}   ${above < 0 ? '' : '+'}${above.toFixed(2)}`;
  });
}
