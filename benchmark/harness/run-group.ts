import { parseArgs } from 'node:util';

import { environment } from './environment.ts';
import type { BenchmarkCase } from './group.ts';
import { fileOfGroup, loadGroup } from './groups.ts';
import { ratioOf, keepRun, type Measurement } from './results.ts';
import { runCase, type Amount, type Samples } from './run-case.ts';
import { median, spread } from './statistics.ts';

/*
 * Measures one group under this Node and prints, for each case, the ratio of each variant to the
 * baseline and what an operation costs: medians over the rounds. Ratios of one run may be compared, and
 * nothing else. `npm run bench` starts it.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
    case: { type: 'string' },
    variant: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    generations: { type: 'string' },
  },
});
const [name = ''] = positionals;
const group = await loadGroup(name);
const machine = environment();
const records: Measurement[] = [];
console.log(`\n${name} on Node ${process.versions.node}: ${group.description}`);
for (const found of group.cases.filter(isWanted)) {
  const variants = variantsOf(found);
  if (variants.length < 2) continue;
  let samples: Samples;
  try {
    samples = await runCase(group, fileOfGroup(name), found.name, variants, amount());
  } catch (error) {
    // One that cannot be measured leaves the others to be.
    console.error(`FAILED: ${String(error)}`);
    process.exitCode = 1;
    continue;
  }
  const measured = measurementsOf(found, samples);
  console.log(`\n  ${found.name}`);
  for (const line of linesOf(measured)) console.log(`    ${line}`);
  records.push(...measured);
}
if (!values.print && records.length > 0) keepRun(name, machine, records);

function isWanted(found: BenchmarkCase): boolean {
  if (values.case) return found.name.includes(values.case);
  return !values.quick || group.quick?.cases?.includes(found.name) !== false;
}

function variantsOf(found: BenchmarkCase): string[] {
  const asked = values.variant ?? (values.quick ? group.quick?.variants : undefined);
  return (found.variants ?? group.variants).filter(
    (variant) => !asked || asked.includes(variant) || variant === group.baseline,
  );
}

function amount(): Amount {
  const { rounds = 15 } = group;
  const quick = group.quick?.rounds ?? 3;
  return {
    rounds: Number(values.rounds ?? (values.quick ? quick : rounds)),
    generations: Number(values.generations ?? (values.quick || rounds < 9 ? 1 : 3)),
  };
}

function measurementsOf(found: BenchmarkCase, samples: Samples): Measurement[] {
  const units = Object.entries<string>(found.metrics ?? {});
  return [...samples].flatMap(([variant, costs]) => {
    if (units.length === 0) {
      const unit = found.unit ?? 'ns CPU';
      return [
        { case: found.name, variant, unit, costs: costs.map((cost) => round(cost as number)) },
      ];
    }
    return units.map(([metric, unit]) => ({
      case: found.name,
      metric,
      variant,
      unit,
      costs: costs.map((cost) => round(typeof cost === 'number' ? cost : (cost[metric] ?? NaN))),
    }));
  });
}

/** Four digits are more than any of them is good for. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

function linesOf(measured: readonly Measurement[]): string[] {
  return measured.map(({ metric, variant, unit, costs }) => {
    const base = measured.find(
      (other) => other.variant === group.baseline && other.metric === metric,
    );
    const middle = median(costs);
    const percent = Math.abs((spread(costs) / middle) * 100);
    const ratio = ratioOf(costs, base?.costs ?? []).toFixed(2);
    return `${[metric, variant].filter(Boolean).join(', ').padEnd(34)} ${ratio.padStart(8)}   ${middle.toFixed(1).padStart(10)} ${unit} ±${percent.toFixed(0)} %`;
  });
}
