import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { NODE_LINES, nodeOfLine } from '../../test/support/other-nodes.ts';

/*
 * Measures what the levels cost on every Node and writes the table in docs/tracer.md:
 * `npm run bench:tracer`.
 */
interface Result {
  node: string;
  cpu: string;
  cores: number;
  microsPerRequest: Record<string, number>;
  added: Record<string, number>;
}

const PAGE = new URL('../../../docs/tracer.md', import.meta.url);
const BEGIN = '<!-- costs: written by `npm run bench:tracer` -->';
const END = '<!-- /costs -->';
const VARIANTS = ['bare', 'off', 'watch'];
/** What issue and docs promise of level watch, in microseconds. */
const ALLOWED: Record<string, number> = { 20: 35, 22: 35, 24: 12, 26: 12 };

const results = NODE_LINES.map((line): Result => {
  const script = fileURLToPath(new URL('./cost.js', import.meta.url));
  const output = execFileSync(nodeOfLine(line), [script, '20', VARIANTS.join()], {
    encoding: 'utf8',
  });
  process.stdout.write(output);
  return JSON.parse(output) as Result;
});

const page = readFileSync(PAGE, 'utf8');
const [head = '', rest = ''] = page.split(BEGIN);
const tail = rest.split(END)[1] ?? '';
writeFileSync(PAGE, `${head}${BEGIN}\n\n${table()}\n\n${END}${tail}`);
for (const { node, added } of results) {
  const allowed = ALLOWED[node.split('.')[0] ?? ''] ?? 0;
  if ((added['watch'] ?? 0) <= allowed) continue;
  console.error(`watch costs ${added['watch']} us on Node ${node}, more than ${allowed}`);
  process.exitCode = 1;
}

function table(): string {
  const rows = [
    ['Node', 'bare', 'off adds', 'watch adds', 'at most'],
    ...results.map(({ node, microsPerRequest, added }) => [
      node,
      `${microsPerRequest['bare']?.toFixed(0)} us`,
      `${noise(added['off'])} us`,
      `${added['watch']?.toFixed(1)} us`,
      `${ALLOWED[node.split('.')[0] ?? '']} us`,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_cell, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const [header = '', ...body] = rows.map(
    (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`,
  );
  const line = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [first] = results;
  return `${[header, line, ...body].join('\n')}\n\n${first?.cpu}, ${first?.cores} cores.`;
}

/** With its sign: what costs nothing comes out below zero as often as above. */
function noise(micros = 0): string {
  return `${micros > 0 ? '+' : ''}${micros.toFixed(1)}`;
}
