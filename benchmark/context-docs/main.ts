import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import { NODE_LINES, nodeOfLine } from '../../test/support/other-nodes.ts';
import { tables, type Measured, type Measurement } from './tables.ts';

/*
 * npm run docs:bench: measures the context managers on every Node line, one line after the other,
 * keeps what was measured in `benchmark/results/`, and writes the tables into
 * `docs/context-manager.md`. `NODES=20,22` measures these lines again and takes the others as they
 * are; `NODES=` only writes. Arguments go to `npm run bench`.
 */
const BENCH = fileURLToPath(new URL('../main.js', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../docs/context-manager.md', import.meta.url));
const BEGIN = '<!-- npm run docs:bench -->';
const END = '<!-- end -->';

const results = (line: string): string =>
  fileURLToPath(new URL(`../../../benchmark/results/context-${line}.jsonl`, import.meta.url));

const wanted = (process.env['NODES'] ?? NODE_LINES.join(',')).split(',').filter(Boolean);
for (const line of wanted) {
  const file = results(line);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const args = [BENCH, 'context', 'http', '--json', file, ...process.argv.slice(2)];
  execFileSync(nodeOfLine(line), args, { stdio: 'inherit' });
}

const measured: Measured[] = NODE_LINES.filter((line) => existsSync(results(line))).map((line) => {
  const [machine, ...cases] = readFileSync(results(line), 'utf8')
    .trim()
    .split('\n')
    .map((record): unknown => JSON.parse(record));
  return { line, machine: machine as Measured['machine'], cases: cases as Measurement[] };
});
const page = readFileSync(PAGE, 'utf8');
const [before, rest] = page.split(BEGIN) as [string, string];
const after = rest.slice(rest.indexOf(END));
const text = `${before}${BEGIN}\n\n${tables(measured)}\n\n${after}`;
writeFileSync(PAGE, await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
