import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { median } from './statistics.ts';

/*
 * What was measured last, kept in `benchmark/results/`: a file for each group and line of Node, in which
 * each run begins with the line of its machine. Written by `npm run bench`; all tables are made of it.
 */
const FOLDER = fileURLToPath(new URL('../../../benchmark/results/', import.meta.url));

export interface Machine {
  date: string;
  node: string;
  cpu: string;
  cores: number;
  load: number;
  v8?: string;
  platform?: string;
  /** Of clew, and whether anything was not committed. */
  commit?: string;
  dirty?: boolean;
  packages?: Readonly<Record<string, string>>;
}

/** What one variant cost in each round of a case: per operation, in `unit`. */
export interface Measurement {
  case: string;
  /** Of a case that has several results. */
  metric?: string;
  variant: string;
  unit: string;
  costs: number[];
}

export interface Run {
  machine: Machine;
  records: Measurement[];
}

/** The runs in lines of JSON: each begins with the line of its machine. */
export function readRuns(lines: string): Run[] {
  const runs: Run[] = [];
  for (const line of lines.split('\n').filter(Boolean)) {
    const read = JSON.parse(line) as Machine | Measurement;
    if ('node' in read) runs.push({ machine: read, records: [] });
    else runs.at(-1)?.records.push(read);
  }
  return runs;
}

/** The lines of what is known, where those of `run` take the place of earlier ones of the same cases. */
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

const nameOf = (record: Measurement): string => record.case;

/** The runs of a group by line of Node, the earliest first. */
export function resultsOf(group: string): Map<string, Run[]> {
  const isOfGroup = new RegExp(`^${group}-(\\d+)\\.jsonl$`);
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
  return new Map(
    files.flatMap((file) => {
      const line = isOfGroup.exec(file)?.[1];
      return line === undefined ? [] : [[line, readRuns(readFileSync(join(FOLDER, file), 'utf8'))]];
    }),
  );
}

/** Keeps a run of a group on the running Node. */
export function keepRun(group: string, machine: object, records: readonly object[]): void {
  const [line] = process.versions.node.split('.');
  const file = join(FOLDER, `${group}-${line}.jsonl`);
  mkdirSync(FOLDER, { recursive: true });
  const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const run = [machine, ...records].map((each) => JSON.stringify(each)).join('\n');
  writeFileSync(file, withRun(known, run));
}

/** What `variant` cost in a case of these records, and undefined if it was not measured. */
export function costsOf(
  records: readonly Measurement[],
  name: string,
  variant: string,
  metric?: string,
): readonly number[] | undefined {
  return records.find(
    (record) => record.case === name && record.variant === variant && record.metric === metric,
  )?.costs;
}

/** The median of the ratios of each round: what disturbs a whole round does not disturb it. */
export function ratioOf(costs: readonly number[], base: readonly number[]): number {
  return median(costs.map((cost, round) => cost / (base[round] ?? Number.NaN)));
}

/** The median of the differences of each round. */
export function addedOf(costs: readonly number[], base: readonly number[]): number {
  return median(costs.map((cost, round) => cost - (base[round] ?? Number.NaN)));
}
