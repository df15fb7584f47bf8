import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

import { NODE_LINES, nodeOfLine } from '../../support/other-nodes.ts';
import { measurePoliteness, type Politeness } from './politeness.ts';
import { runScenario, type Row } from './run-scenario.ts';
import { GROUPS, type Group, type Scenario } from './scenarios.ts';

/*
 * Runs every scenario with the SDK's own pipeline and with ours, prints what each loses, and fails
 * if ours loses anything or miscounts. `--quick` leaves out the outages, `--nodes 20,22` runs on
 * other Nodes, `--write` puts the table into docs/export.md.
 */

const DOCUMENT = fileURLToPath(new URL('../../../../docs/export.md', import.meta.url));
const BEGIN = '<!-- table: npm run test:export -- --write -->';
const END = '<!-- /table -->';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    nodes: { type: 'string', default: process.versions.node.split('.')[0] as string },
  },
});

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Compared {
  scenario: Scenario;
  sdk: Row;
  clew: Row;
}

async function compare(scenario: Scenario, node: string): Promise<Compared> {
  const [sdk, clew] = await Promise.all([
    runScenario(scenario, 'sdk', node),
    runScenario(scenario, 'clew', node),
  ]);
  print(scenario, sdk, clew);
  return { scenario, sdk, clew };
}

function print({ title, count, refused = 0 }: Scenario, sdk: Row, clew: Row): void {
  const share = (row: Row): string => percent(row.lost, count - refused).padStart(8);
  const notes = [...clew.faults];
  if (clew.duplicates > 0) notes.push(`${clew.duplicates} arrived twice`);
  const mark = clew.lost === 0 && clew.faults.length === 0 ? 'ok  ' : 'FAIL';
  log(`${mark} ${title.padEnd(62)}${share(sdk)}${share(clew)}  ${notes.join('; ')}`);
}

function percent(lost: number, of: number): string {
  if (lost === 0) return '0';
  return `${((100 * lost) / of).toFixed(1)} %`;
}

async function runGroup(group: Group, node: string): Promise<Compared[]> {
  log(`\n${group.title.padEnd(67)}${'SDK'.padStart(8)}${'clew'.padStart(8)}`);
  if (group.parallel) {
    return Promise.all(group.scenarios.map((scenario) => compare(scenario, node)));
  }
  const rows: Compared[] = [];
  for (const scenario of group.scenarios) rows.push(await compare(scenario, node));
  return rows;
}

function printPoliteness(rows: Politeness[]): number {
  log('\nAdded to the time a process takes to end (ms)'.padEnd(68) + '  median   worst');
  for (const { title, median, worst, limit } of rows) {
    const mark = median <= limit ? 'ok  ' : 'FAIL';
    const figures = [median, worst].map((value) => value.toFixed(0).padStart(8)).join('');
    log(`${mark} ${title.padEnd(62)}${figures}  limit ${limit}`);
  }
  return rows.filter(({ median, limit }) => median > limit).length;
}

function toMarkdown(tables: [Group, Compared[]][], politeness: Politeness[]): string {
  const lines: string[] = [];
  const cpu = cpus()[0]?.model ?? 'unknown CPU';
  lines.push(
    `Node ${process.versions.node}, ${cpus().length} cores (${cpu}), ${new Date().toISOString().slice(0, 10)}.`,
    'Share of spans lost; `SDK` is `BatchSpanProcessor` with `OTLPTraceExporter` of OpenTelemetry JS 2.x.',
    '',
  );
  for (const [group, rows] of tables) {
    lines.push(`| ${group.title} | SDK | clew |`, '| --- | --: | --: |');
    for (const { scenario, sdk, clew } of rows) {
      const of = scenario.count - (scenario.refused ?? 0);
      lines.push(`| ${scenario.title} | ${percent(sdk.lost, of)} | ${percent(clew.lost, of)} |`);
    }
    lines.push('');
  }
  lines.push(
    '| Added to the time a process takes to end | median | worst |',
    '| --- | --: | --: |',
  );
  for (const { title, median, worst } of politeness) {
    lines.push(`| ${title} | ${median.toFixed(0)} ms | ${worst.toFixed(0)} ms |`);
  }
  return lines.join('\n');
}

function write(markdown: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end === -1) throw new Error(`${DOCUMENT} has no place for the table`);
  const head = text.slice(0, begin + BEGIN.length);
  writeFileSync(DOCUMENT, `${head}\n\n${markdown}\n\n${text.slice(end)}`);
  log(`wrote ${DOCUMENT}`);
}

let failed = 0;
let passed = 0;
const lines = flags.nodes === 'all' ? NODE_LINES : flags.nodes.split(',');
for (const line of lines) {
  const node = nodeOfLine(line);
  log(`\n=== Node ${line}`);
  const tables: [Group, Compared[]][] = [];
  for (const group of GROUPS) {
    if (flags.quick && group.isLong) continue;
    const rows = await runGroup(group, node);
    tables.push([group, rows]);
    for (const { clew } of rows) {
      if (clew.lost === 0 && clew.faults.length === 0) passed++;
      else failed++;
    }
  }
  const politeness = await measurePoliteness(node, 7);
  const impolite = printPoliteness(politeness);
  failed += impolite;
  passed += politeness.length - impolite;
  if (flags.write && line === lines[0]) write(toMarkdown(tables, politeness));
}
log(`\n${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;
