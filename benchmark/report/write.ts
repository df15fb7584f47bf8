import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import { hasGenerated, withGenerated } from '../../test/support/generated-part.ts';
import type { BenchmarkGroup } from '../harness/group.ts';
import { GROUP_NAMES, loadGroup } from '../harness/groups.ts';
import { resultsOf, type Run } from '../harness/results.ts';
import { contextTables } from './context.ts';
import { figuresTable, losses, type Results } from './figures.ts';
import { goalsTable } from './goals.ts';
import { machineText, tablesOf } from './tables.ts';

/*
 * Puts what is in `benchmark/results/` into every page that has a place for it: `benchmark/README.md`
 * and the pages of `docs/`. A group that has no results leaves its place as it is.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The line of Node whose results are the figures on top. */
const LINE = '24';

/** The pages with places, as the results make them, by their paths in the repository. */
export async function renderedPages(): Promise<Map<string, string>> {
  const parts = await generatedParts();
  const pages = new Map<string, string>();
  for (const path of ['benchmark/README.md', ...docs()]) {
    const file = join(ROOT, path);
    let page = readFileSync(file, 'utf8');
    const marks = [...parts.keys()].filter((mark) => hasGenerated(page, mark));
    if (marks.length === 0) continue;
    for (const mark of marks) page = withGenerated(page, mark, parts.get(mark)!);
    const config = await resolveConfig(file);
    pages.set(path, await format(page, { ...config, filepath: file }));
  }
  return pages;
}

export async function writeTables(): Promise<void> {
  for (const [path, text] of await renderedPages()) writeFileSync(join(ROOT, path), text);
}

async function generatedParts(): Promise<Map<string, string>> {
  const parts = new Map<string, string>();
  const results = new Map<string, { group: BenchmarkGroup; runs: readonly Run[] }>();
  for (const name of GROUP_NAMES) {
    const group = await loadGroup(name);
    const byLine = resultsOf(name);
    if (byLine.size === 0) continue;
    results.set(name, { group, runs: byLine.get(LINE) ?? [] });
    parts.set(group.mark, render(group, byLine));
  }
  if (results.size > 0) {
    parts.set('bench-figures', [figuresTable(results), versions(results)].join('\n\n'));
    parts.set('bench-losses', losses(results));
    parts.set('bench-goals', goalsTable(results) || 'Not measured yet.');
  }
  return parts;
}

function render(group: BenchmarkGroup, byLine: ReadonlyMap<string, readonly Run[]>): string {
  if (group.render === 'context') return contextTables(byLine);
  return [...byLine.values()]
    .toReversed()
    .map((runs) => tablesOf(group, runs))
    .join('\n\n');
}

/** The machine of the last run, and the versions of what was compared. */
function versions(results: Results): string {
  const machines = [...results.values()].flatMap(({ runs }) => runs.map(({ machine }) => machine));
  const last = machines.toSorted((a, b) => a.date.localeCompare(b.date)).at(-1)!;
  const packages = Object.entries(last.packages ?? {}).map(
    ([name, version]) => `${name} ${version}`,
  );
  return `${machineText(last)}; ${packages.join(', ')}. The spread is the largest of a row.`;
}

function docs(): string[] {
  return readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`);
}
