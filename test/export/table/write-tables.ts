import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import type { Politeness } from './politeness.ts';
import type { Row } from './run-scenario.ts';
import { GROUPS, type Scenario } from './scenarios.ts';

/*
 * The results as tables for people. What the SDK loses depends a little on the Node, so there it is
 * the range over all of them.
 */

const DOCUMENTS = ['docs/export.md', 'README.md'].map((name) => {
  return fileURLToPath(new URL(`../../../../${name}`, import.meta.url));
});
const BEGIN = '<!-- table: npm run test:export -- --nodes all --write -->';
const END = '<!-- /table -->';

export interface Compared {
  scenario: Scenario;
  sdk: Row;
  clew: Row;
}

/** What was found, by Node line. */
export type Results = Map<string, { rows: Compared[]; politeness: Politeness[] }>;

export function percent(lost: number, of: number): string {
  return lost === 0 ? '0' : `${((100 * lost) / of).toFixed(1)} %`;
}

/** Writes the tables where a document has a place for them; returns which ones have. */
export function writeTables(results: Results): string[] {
  return DOCUMENTS.filter((path) => {
    const text = readFileSync(path, 'utf8');
    const begin = text.indexOf(BEGIN);
    const end = text.indexOf(END, begin);
    if (begin === -1 || end === -1) return false;
    const head = text.slice(0, begin + BEGIN.length);
    writeFileSync(path, `${head}\n\n${toMarkdown(results)}\n\n${text.slice(end)}`);
    return true;
  });
}

function toMarkdown(results: Results): string {
  const nodes = [...results.keys()];
  const date = new Date().toISOString().slice(0, 10);
  const lines = [
    `Node ${nodes.join(', ')}; ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown CPU'}), ${date}.`,
    'Share of spans lost, from the least to the most of these Nodes; `SDK` is `BatchSpanProcessor` with',
    '`OTLPTraceExporter` of OpenTelemetry JS 2.x.',
    '',
  ];
  for (const group of GROUPS) {
    const rows = group.scenarios.map((scenario) => ({ scenario, all: rowsOf(results, scenario) }));
    if (rows.every(({ all }) => all.length === 0)) continue;
    lines.push(`| ${group.title} | SDK | clew |`, '| --- | --: | --: |');
    for (const { scenario, all } of rows) {
      const of = scenario.count - (scenario.refused ?? 0);
      const sdk = range(
        all.map((row) => row.sdk.lost),
        of,
      );
      lines.push(
        `| ${scenario.title} | ${sdk} | ${range(
          all.map((row) => row.clew.lost),
          of,
        )} |`,
      );
    }
    lines.push('');
  }
  const heads = nodes.map((line) => ` Node ${line} |`).join('');
  lines.push(
    `| Added to the time a process takes to end: median (worst), ms |${heads}`,
    `| --- |${' --: |'.repeat(nodes.length)}`,
  );
  for (const { title } of results.values().next().value?.politeness ?? []) {
    const cells = [...results.values()].map(({ politeness }) => {
      const row = politeness.find((each) => each.title === title);
      return row ? ` ${row.median.toFixed(0)} (${row.worst.toFixed(0)}) |` : ' |';
    });
    lines.push(`| ${title} |${cells.join('')}`);
  }
  return lines.join('\n');
}

function rowsOf(results: Results, { title }: Scenario): Compared[] {
  return [...results.values()].flatMap(({ rows }) => {
    return rows.filter(({ scenario }) => scenario.title === title);
  });
}

function range(lost: number[], of: number): string {
  const least = percent(Math.min(...lost), of);
  const most = percent(Math.max(...lost), of);
  return least === most ? most : `${least.replace(' %', '')} to ${most}`;
}
