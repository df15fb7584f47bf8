import type { BenchmarkGroup } from '../harness/group.ts';
import { addedOf, costsOf, ratioOf, type Measurement, type Run } from '../harness/results.ts';
import { median, spread } from '../harness/statistics.ts';
import { casesOf, cellOf, percent, table } from './tables.ts';

/** The results of all groups on one line of Node, by the names of the groups. */
export type Results = ReadonlyMap<string, { group: BenchmarkGroup; runs: readonly Run[] }>;

/** One of the figures that matter: whose costs they are, by the columns of the table. */
interface Figure {
  what: string;
  group: string;
  case: string;
  metric?: string;
  baseline: string;
  variants: readonly [clew: string, official: string, datadog?: string, sentry?: string];
  /** Shown in place of a ratio: what is added, in this unit. */
  unit?: string;
}

const SERVICE = 'express, 8 connections';
const TOOLS = ['clew', 'official', 'dd-trace', 'Sentry'] as const;
const FIGURES: readonly Figure[] = [
  {
    what: 'CPU of a request of a service on express with `pg` and Redis, each span sent, to that without tracing',
    group: 'app',
    case: SERVICE,
    metric: 'cpu',
    baseline: 'bare',
    variants: TOOLS,
  },
  {
    what: 'start of the smallest application, added to that without tracing',
    group: 'start',
    case: 'the smallest application',
    metric: 'wall',
    baseline: 'bare',
    variants: TOOLS,
    unit: 'ms',
  },
  {
    what: 'CPU of `pool.query` of `pg` with its span, to the bare client',
    group: 'clients',
    case: 'pg pool.query, promise',
    baseline: 'bare',
    variants: ['clew-on', 'official-on', 'dd-trace'],
  },
  {
    what: 'CPU of a request of an HTTP server with a context manager alone, to that with none',
    group: 'context',
    case: 'HTTP server',
    baseline: 'none',
    variants: ['clew', 'otel-als'],
  },
  {
    what: 'exporting a span, main thread, added to spans that go nowhere (OpenTelemetry: SDK 2.12)',
    group: 'export',
    case: 'behind OpenTelemetry SDK 2.12',
    metric: 'main',
    baseline: 'none',
    variants: ['clew gzip', 'sdk gzip'],
    unit: 'us',
  },
];

/** The five figures that matter, as far as they were measured. */
export function figuresTable(results: Results): string {
  const rows = FIGURES.map((figure) => {
    const records = results.get(figure.group)?.runs.flatMap((run) => run.records) ?? [];
    const costs = (variant: string): readonly number[] =>
      costsOf(records, figure.case, variant, figure.metric) ?? [];
    const base = costs(figure.baseline);
    const all = figure.variants.map((variant) => (variant === undefined ? [] : costs(variant)));
    const cells = all.map((own) => {
      if (own.length === 0 || base.length === 0) return 'not measured';
      if (figure.unit) return `+${addedOf(own, base).toFixed(1)} ${figure.unit}`;
      return `× ${ratioOf(own, base).toFixed(2)}`;
    });
    const [clew = '', official = '', datadog = '', sentry = ''] = cells;
    const worst = Math.max(...[base, ...all].map(percent).filter(Number.isFinite), 0);
    return [figure.what, `**${clew}**`, official, datadog, sentry, `±${worst.toFixed(0)} %`];
  });
  return table([['', 'clew', 'OpenTelemetry', 'dd-trace', 'Sentry', 'spread'], ...rows]);
}

/** Metrics of which more is better. */
const MORE_IS_BETTER = new Set(['rate']);

/** Every case in which a competitor is better by more than a twentieth and more than the spread of the differences. */
export function losses(results: Results): string {
  const lines = [...results].flatMap(([name, { group, runs }]) =>
    runs.flatMap(({ records }) =>
      casesOf(records).flatMap((found) =>
        lossesOf(group, found, records).map((text) => `- ${name}, ${text}`),
      ),
    ),
  );
  return lines.length > 0 ? lines.join('\n') : 'Nowhere, in what was measured.';
}

function lossesOf(group: BenchmarkGroup, name: string, records: readonly Measurement[]): string[] {
  const own = records.filter((record) => record.case === name);
  const metrics = [...new Set(own.map(({ metric }) => metric))];
  return metrics.flatMap((metric) => {
    const base = costsOf(own, name, group.baseline, metric) ?? [];
    return (group.ours ?? []).flatMap((ours, index) => {
      const costs = costsOf(own, name, ours, metric);
      if (!costs) return [];
      // Where there are several of ours, each competes with its like.
      const peers = (group.ours ?? []).length > 1 ? [group.peers?.[index] ?? ''] : group.peers;
      const better = (peers ?? []).filter((peer) => {
        const theirs = costsOf(own, name, peer, metric);
        return theirs && isWorse(costs, theirs, MORE_IS_BETTER.has(metric ?? ''));
      });
      if (better.length === 0) return [];
      const ratios = [ours, ...better].map((variant) => {
        const found = costsOf(own, name, variant, metric) ?? [];
        // Its ratio or, where the baseline is nothing, what is added.
        return `${variant} ${cellOf(found, base).split(' ')[0]}`;
      });
      const unit = own.find((record) => record.metric === metric)?.unit ?? '';
      return [`${name}, ${unit}: ${ratios.join(', ')}`];
    });
  });
}

/** By the differences of each round: what disturbs a whole round does not disturb them. */
function isWorse(
  ours: readonly number[],
  theirs: readonly number[],
  isMoreBetter: boolean,
): boolean {
  const sign = isMoreBetter ? -1 : 1;
  const differences = ours.map((cost, round) => sign * (cost - (theirs[round] ?? Number.NaN)));
  const worse = median(differences);
  return worse > median(theirs) * 0.05 && worse > spread(differences);
}
