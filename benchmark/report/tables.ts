import type { BenchmarkGroup } from '../harness/group.ts';
import {
  addedOf,
  costsOf,
  ratioOf,
  type Machine,
  type Measurement,
  type Run,
} from '../harness/results.ts';
import { median, spread } from '../harness/statistics.ts';

/*
 * Tables of results as Markdown. Cells of a row may be compared, which is of one run; a cell begins with
 * the ratio to the baseline.
 */

/** The tables of a group on one line of Node: one for each run, or one for each case with metrics. */
export function tablesOf(group: BenchmarkGroup, runs: readonly Run[]): string {
  return runs
    .map((run) => {
      const tables = TABLES[group.render ?? 'cases'](group, run);
      return [...tables, captionOf(run)].join('\n\n');
    })
    .join('\n\n');
}

/** The machine, the Node and the rounds of a run, and how far its rounds are apart. */
export function captionOf({ machine, records }: Run): string {
  const rounds = records[0]?.costs.length ?? 0;
  const spreads = records.map(({ costs }) => percent(costs)).filter(Number.isFinite);
  return `${machineText(machine)}; medians of ${rounds} rounds, whose spread is ${median(spreads).toFixed(0)} % (median of all).`;
}

export function machineText({ node, cpu, cores, load, date }: Machine): string {
  const count = cores === 1 ? '1 core' : `${cores} cores`;
  return `Node ${node.replace(/^v/, '')}, ${cpu}, ${count}, load ${load.toFixed(1)} at the start, ${date.slice(0, 10)}`;
}

/** A row for each case, a column for each variant. */
function caseTable({ baseline, variants }: BenchmarkGroup, { records }: Run): string {
  const columns = variants.filter(
    (variant) => variant !== baseline && records.some((record) => record.variant === variant),
  );
  const rows = casesOf(records).map((name) => {
    const unit = records.find((record) => record.case === name)?.unit ?? '';
    const base = costsOf(records, name, baseline) ?? [];
    return [
      name,
      `${amount(median(base))} ${short(unit)} ±${percent(base).toFixed(0)} %`,
      ...columns.map((variant) => cellOf(costsOf(records, name, variant), base)),
    ];
  });
  return table([['', baseline, ...columns], ...rows]);
}

/** A table for each case: a row for each variant, a column for each metric. */
function metricTables({ baseline, variants }: BenchmarkGroup, { records }: Run): string[] {
  return casesOf(records).map((name) => {
    const own = records.filter((record) => record.case === name);
    const units = new Map(own.map(({ metric, unit }) => [metric, unit]));
    const rows = variants
      .filter((variant) => own.some((record) => record.variant === variant))
      .map((variant) => [
        variant,
        ...[...units.keys()].map((metric) => {
          const base = costsOf(own, name, baseline, metric) ?? [];
          const costs = costsOf(own, name, variant, metric) ?? [];
          return variant === baseline ? amount(median(costs)) : cellOf(costs, base);
        }),
        `${percent(own.find((record) => record.variant === variant)?.costs ?? []).toFixed(0)} %`,
      ]);
    return table([[name, ...units.values(), 'spread'], ...rows]);
  });
}

/**
 * A table for each case of a group whose variants have one part more each: a row for each part with what
 * it adds to the row before. The difference of the two columns is the work of other threads.
 */
function partsTables({ baseline, variants }: BenchmarkGroup, { records }: Run): string[] {
  return casesOf(records).map((name) => {
    const own = records.filter((record) => record.case === name);
    const units = new Map(own.map(({ metric, unit }) => [metric, unit]));
    const measured = variants.filter((variant) => own.some((one) => one.variant === variant));
    const cost = (variant: string, metric: string | undefined): readonly number[] =>
      costsOf(own, name, variant, metric) ?? [];
    const rows = measured.map((variant, index) => [
      variant,
      ...[...units.keys()].map((metric) => {
        const before = measured[index - 1];
        if (before === undefined) return median(cost(variant, metric)).toFixed(0);
        return signed(addedOf(cost(variant, metric), cost(before, metric)));
      }),
      `${percent(cost(variant, own[0]?.metric)).toFixed(0)} %`,
    ]);
    const last = measured.at(-1) ?? baseline;
    const whole = [...units.keys()].map((metric) =>
      signed(addedOf(cost(last, metric), cost(baseline, metric))),
    );
    return table([[name, ...units.values(), 'spread'], ...rows, ['all of it', ...whole, '']]);
  });
}

function signed(added: number): string {
  return `${added < 0 ? '-' : '+'}${Math.abs(added).toFixed(1)}`;
}

/** By `render` of a group; the tables of the contexts have a file of their own. */
const TABLES = {
  cases: (group: BenchmarkGroup, run: Run) => [caseTable(group, run)],
  context: (group: BenchmarkGroup, run: Run) => [caseTable(group, run)],
  metrics: metricTables,
  parts: partsTables,
};

/** The ratio to the baseline and, in brackets, what is added to it. */
export function cellOf(costs: readonly number[] | undefined, base: readonly number[]): string {
  if (!costs || costs.length === 0) return '';
  const added = addedOf(costs, base);
  const ratio = ratioOf(costs, base);
  const text = `${added < 0 ? '-' : '+'}${amount(Math.abs(added))}`;
  // What costs nothing in the baseline has no ratio to it.
  return Number.isFinite(ratio) && Math.abs(ratio) < 1000 ? `${ratio.toFixed(2)} (${text})` : text;
}

export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => '---'), ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

export function casesOf(records: readonly Measurement[]): string[] {
  return [...new Set(records.map((record) => record.case))];
}

/** The spread as a share of the median. */
export function percent(costs: readonly number[]): number {
  return Math.abs((spread(costs) / median(costs)) * 100);
}

function amount(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

const short = (unit: string): string => unit.replace(' CPU', '');
