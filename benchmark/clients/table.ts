import { median, spread } from '../harness/statistics.ts';

/** One run of the benchmark on one Node: the lines that `--json` writes. */
export interface Run {
  machine: { date: string; node: string; cpu: string; cores: number; load: number };
  records: { case: string; variant: string; costs: number[] }[];
}

/** What a call may cost above the bare client, in microseconds of CPU. */
function limitOf(caseName: string, variant: string): number | undefined {
  if (variant === 'clew-off') return 1.5;
  if (variant === 'clew-on') return caseName.startsWith('pg pool') ? 5 : 4;
  return undefined;
}

/** The lines that `--json` writes, read. */
export function readRun(lines: string): Run {
  const [machine, ...records] = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { machine: machine as Run['machine'], records: records as Run['records'] };
}

/** A run as Markdown: the machine, and a row for each case. */
export function renderRun({ machine, records }: Run): string {
  const variants = [...new Set(records.map(({ variant }) => variant))].filter(
    (variant) => variant !== 'bare',
  );
  const cases = [...new Set(records.map((record) => record.case))];
  const rounds = records[0]?.costs.length ?? 0;
  const costsOf = (caseName: string, variant: string): number[] =>
    records.find((record) => record.case === caseName && record.variant === variant)?.costs ?? [];
  const rows = cases.map((caseName) => {
    const bare = costsOf(caseName, 'bare');
    const cells = variants.map((variant) => cellOf(caseName, variant, costsOf(caseName, variant)));
    return [caseName, `${median(bare).toFixed(1)} ±${percent(bare)} %`, ...cells];

    function cellOf(name: string, variant: string, costs: number[]): string {
      if (costs.length === 0) return '';
      const above = median(costs.map((cost, round) => cost - (bare[round] ?? Number.NaN)));
      const ratio = median(costs.map((cost, round) => cost / (bare[round] ?? Number.NaN)));
      const limit = limitOf(name, variant);
      const text = `${above < 0 ? '' : '+'}${above.toFixed(1)} (${ratio.toFixed(2)})`;
      return limit !== undefined && above > limit ? `**${text}**` : text;
    }
  });
  const head = ['call', 'bare', ...variants];
  return [
    `### Node ${machine.node.slice(1)}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)} at the start,`,
    `${machine.date.slice(0, 10)}; medians of ${rounds} rounds.`,
    '',
    row(head),
    row(head.map(() => '---')),
    ...rows.map(row),
  ].join('\n');
}

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

const percent = (costs: number[]): string => ((spread(costs) / median(costs)) * 100).toFixed(0);
