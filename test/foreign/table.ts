import { NODE_LINES } from '../support/other-nodes.ts';
import type { Result } from './report.ts';

/**
 * A row for each area of Node's own tests and for each library, a column for each line of Node:
 * how many pass bare, and how many of those differ with clew.
 */
export function table(results: readonly Result[]): string {
  const lines = NODE_LINES.filter((line) => results.some(({ name }) => lineOf(name) === line));
  const rows = new Map<string, Result[]>();
  for (const result of results) {
    if (result.bare !== 'passes') continue;
    const area = areaOf(result.name);
    rows.set(area, [...(rows.get(area) ?? []), result]);
  }
  const all = results.filter(({ bare }) => bare === 'passes');
  return [
    `| tests | ${lines.map((line) => `Node ${line}`).join(' | ')} |`,
    `| --- |${' --- |'.repeat(lines.length)}`,
    ...[...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([area, row]) => line(area, row, lines)),
    line('all', all, lines),
  ].join('\n');
}

function line(area: string, row: readonly Result[], lines: readonly string[]): string {
  const cells = lines.map((each) => {
    const here = row.filter(({ name }) => lineOf(name) === each);
    const differ = here.filter(({ differences }) => differences.some(isOurs));
    if (here.length === 0) return '';
    return differ.length === 0 ? String(here.length) : `${here.length}, ${differ.length} differ`;
  });
  return `| ${area} | ${cells.join(' | ')} |`;
}

function isOurs({ withoutClew }: { withoutClew: boolean }): boolean {
  return !withoutClew;
}

/** Of `node-24/parallel/test-x.js`: 24. */
function lineOf(name: string): string {
  return name.slice('node-'.length, name.indexOf('/'));
}

/** Of `node-24/parallel/test-http-agent.js`: Node, `http`; of `node-24/pg/test/unit/x.js`: pg. */
function areaOf(name: string): string {
  const [, suite = '', file = ''] = name.split('/');
  const topic = suite === 'parallel' && /^test-([a-z]+)/.exec(file)?.[1];
  return topic ? `Node, \`${topic}\`` : NODE_FOLDERS.has(suite) ? `Node, ${suite}` : suite;
}

const NODE_FOLDERS = new Set(['async-hooks', 'es-module', 'module-hooks', 'sequential']);
