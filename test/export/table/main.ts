import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { NODE_LINES, nodeOfLine } from '../../support/other-nodes.ts';
import { measurePoliteness, verdictOf, type Politeness } from './politeness.ts';
import { runScenario } from './run-scenario.ts';
import { GROUPS, type Group, type Scenario } from './scenarios.ts';
import { percent, writeTable, type Compared, type Results } from './write-tables.ts';

/*
 * Runs every scenario with the SDK's own pipeline and with ours, prints what each loses, and fails
 * if ours loses anything or miscounts. `--quick` leaves out the outages, `--politeness` everything but
 * the time that a process takes to end; `--nodes 20,22` or `--nodes all` runs on other Nodes.
 * `--write` puts the table into docs/export.md: that of the losses, or with
 * `--politeness` the other, which is for a machine with nothing else to do.
 */

const { values: flags } = parseArgs({
  options: {
    politeness: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    nodes: { type: 'string', default: process.versions.node.split('.')[0] as string },
  },
});

const lines = flags.nodes === 'all' ? [...NODE_LINES] : flags.nodes.split(',');
const isBusy = (): boolean => (loadavg()[0] as number) > 2 * cpus().length;

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function compare(scenario: Scenario, node: string): Promise<Compared> {
  const [sdk, clew] = await Promise.all([
    runScenario(scenario, 'sdk', node),
    runScenario(scenario, 'clew', node),
  ]);
  return { scenario, sdk, clew };
}

function isGood({ clew }: Compared): boolean {
  return clew.lost === 0 && clew.faults.length === 0;
}

function print({ scenario, sdk, clew }: Compared): void {
  const of = scenario.count - (scenario.refused ?? 0);
  const cells = [sdk, clew].map(({ lost }) => percent(lost, of).padStart(8)).join('');
  const notes = [...clew.faults];
  if (clew.copies > 0) notes.push(`${clew.copies} arrived twice, as exact copies`);
  const mark = isGood({ scenario, sdk, clew }) ? 'ok  ' : 'FAIL';
  log(`${mark} ${scenario.title.padEnd(62)}${cells}  ${notes.join('; ')}`);
}

async function runGroup(group: Group, node: string): Promise<Compared[]> {
  const scenarios = group.scenarios.filter(({ isIdle }) => !isIdle);
  if (group.parallel) return Promise.all(scenarios.map((scenario) => compare(scenario, node)));
  const rows: Compared[] = [];
  for (const scenario of scenarios) rows.push(await compare(scenario, node));
  return rows;
}

function printPoliteness(rows: readonly Politeness[]): void {
  log(`\n${'Added to the time a process takes to end (ms)'.padEnd(67)}  median   worst`);
  for (const row of rows) {
    const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[verdictOf(row)];
    const figures = [row.median, row.worst].map((value) => value.toFixed(0).padStart(8)).join('');
    const why = verdictOf(row) === 'skipped' ? ', not judged: the machine is too busy' : '';
    log(`${mark} ${row.title.padEnd(62)}${figures}  limit ${row.limit}${why}`);
  }
}

// Minutes of waiting fit beside everything else, so they begin first, on every Node.
const idle = new Map<string, Promise<Compared[]>>();
for (const line of flags.quick || flags.politeness ? [] : lines) {
  const scenarios = GROUPS.flatMap((group) => group.scenarios).filter(({ isIdle }) => isIdle);
  const node = nodeOfLine(line);
  idle.set(line, Promise.all(scenarios.map((scenario) => compare(scenario, node))));
}

const results: Results = new Map();
for (const line of lines) {
  const node = nodeOfLine(line);
  const rows: Compared[] = [];
  const politeness = await measurePoliteness(node, isBusy);
  log(`\n=== Node ${line}`);
  for (const group of GROUPS) {
    if (flags.politeness || (flags.quick && group.isLong)) continue;
    log(`\n${group.title.padEnd(67)}${'SDK'.padStart(8)}${'clew'.padStart(8)}`);
    const found = await runGroup(group, node);
    for (const row of found) print(row);
    rows.push(...found);
  }
  printPoliteness(politeness);
  results.set(line, { rows, politeness });
}
for (const [line, waiting] of idle) {
  const rows = await waiting;
  log(`\n=== Node ${line}, in minutes`);
  for (const row of rows) print(row);
  results.get(line)?.rows.push(...rows);
}

const table = flags.politeness ? 'politeness' : 'losses';
if (flags.write) for (const path of writeTable(table, results)) log(`wrote ${path}`);
const verdicts = [...results.values()].flatMap(({ rows, politeness }) => [
  ...rows.map((row) => (isGood(row) ? 'passed' : 'failed')),
  ...politeness.map(verdictOf),
]);
const count = (verdict: string): number => verdicts.filter((each) => each === verdict).length;
log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = count('failed') === 0 ? 0 : 1;
