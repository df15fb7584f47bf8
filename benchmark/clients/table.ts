import { median, spread } from '../harness/statistics.ts';

/** One run of the benchmark on one Node: the lines that `--json` writes. */
export interface Run {
  machine: { date: string; node: string; cpu: string; cores: number; load: number };
  records: { case: string; variant: string; costs: number[] }[];
}

/** What a call may cost above the bare client, in microseconds of CPU. */
function limitOf(caseName: string, variant: string): number | undefined {
  // That is of one call to the server.
  if (caseName.includes('pipeline of')) return undefined;
  if (variant === 'clew-off') return 1.5;
  if (variant === 'clew-on') return caseName.startsWith('pg pool') ? 5 : 4;
  return undefined;
}

/** The runs in lines that `--json` wrote: each begins with the line of its machine. */
export function readRuns(lines: string): Run[] {
  const runs: Run[] = [];
  for (const line of lines.split('\n').filter(Boolean)) {
    const read = JSON.parse(line) as Run['machine'] | Run['records'][number];
    if ('node' in read) runs.push({ machine: read, records: [] });
    else runs.at(-1)?.records.push(read);
  }
  return runs;
}

/** The lines of what is known, where those of `run` take the place of earlier ones of the same calls. */
export function withRun(known: string, run: string): string {
  const measured = new Set(readRuns(run).flatMap(({ records }) => records.map(nameOf)));
  const kept = readRuns(known)
    .map(({ machine, records }) => ({
      machine,
      records: records.filter((record) => !measured.has(nameOf(record))),
    }))
    .filter(({ records }) => records.length > 0)
    .flatMap(({ machine, records }) => [machine, ...records]);
  return `${[...kept.map((line) => JSON.stringify(line)), run.trim()].join('\n')}\n`;
}

const nameOf = (record: Run['records'][number]): string => record.case;

/** The runs on one line of Node as Markdown: cells of a row may be compared, which is of one run. */
export function renderRuns(runs: readonly Run[]): string {
  const [line] = runs.at(-1)?.machine.node.slice(1).split('.') ?? [];
  return [`### Node ${line}`, ...runs.map(renderRun)].join('\n\n');
}

/** A run as Markdown: the machine, and a row for each case. */
function renderRun({ machine, records }: Run): string {
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
    `Node ${machine.node.slice(1)}, ${machine.cpu}, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, load ${machine.load.toFixed(1)}`,
    `at the start, ${machine.date.slice(0, 10)}; medians of ${rounds} rounds.`,
    '',
    row(head),
    row(head.map(() => '---')),
    ...rows.map(row),
  ].join('\n');
}

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

const percent = (costs: number[]): string => ((spread(costs) / median(costs)) * 100).toFixed(0);
