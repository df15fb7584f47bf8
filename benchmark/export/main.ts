import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * What a span costs on its way out, beside the SDK's own pipeline: one process per case and round,
 * rounds interleaved, medians. What no pipeline at all costs is subtracted. `--write` puts the table
 * into docs/export.md, for which the machine should have nothing else to do. Microseconds depend on
 * the speed that the machine has that day; the ratios to the SDK do not.
 */

interface Cost {
  main: number;
  all: number;
  p99: number;
  max: number;
}

const CASES = [
  'none',
  'sdk',
  'sdk gzip',
  'clew',
  'clew gzip',
  'clew gzip spool',
  'clew gzip one thread',
];
const ROUNDS = Number(process.env['ROUNDS'] ?? 4);
const RATE = process.env['RATE'] ?? '5000';
const BEGIN = '<!-- table: npm run bench:export -- --write -->';
const MILLIS = process.env['MILLIS'] ?? '4000';

const collector = createServer((request, response) => {
  request.resume().on('end', () => response.end());
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
const spool = mkdtempSync(join(tmpdir(), 'clew-bench-'));

async function run<Result>(file: string, env: Record<string, string>): Promise<Result> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return JSON.parse(output) as Result;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

const loadAtStart = (loadavg()[0] as number).toFixed(1);
const costs = new Map<string, Cost[]>(CASES.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of CASES) {
    const env = { CASE: name, URL: url, RATE, MILLIS, SPOOL: join(spool, 'spool') };
    costs.get(name)?.push(await run<Cost>('./producer.js', env));
  }
}

function medianOf(name: string, field: keyof Cost): number {
  return median((costs.get(name) ?? []).map((cost) => cost[field]));
}

/** What `name` adds to no pipeline at all, and its ratio to the SDK's of the same run. */
function addedBy(name: string, field: 'main' | 'all'): string {
  const added = medianOf(name, field) - medianOf('none', field);
  const sdk = medianOf(name.includes('gzip') ? 'sdk gzip' : 'sdk', field) - medianOf('none', field);
  return name === 'none' ? '' : `${added.toFixed(1)} (${(added / sdk).toFixed(2)})`;
}

const memory = await run<{ rss: number; bytes: number }>('./memory.js', { COUNT: '100000' });
collector.close();
collector.closeAllConnections();
rmSync(spool, { recursive: true });

const LINES = [
  `| ${RATE} spans/s | main thread, us/span | all threads, us/span | loop delay p99, ms | worst, ms |`,
  '| --- | --: | --: | --: | --: |',
  ...CASES.map((name) => {
    const cells = [
      addedBy(name, 'main'),
      addedBy(name, 'all'),
      medianOf(name, 'p99').toFixed(1),
      medianOf(name, 'max').toFixed(1),
    ];
    return `| ${name} | ${cells.join(' | ')} |`;
  }),
  '',
  `A queued span takes ${memory.bytes.toFixed(0)} bytes as stored and ${memory.rss.toFixed(0)} bytes of the process.`,
  '',
  `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown CPU'}), load ${loadAtStart} at the start, median of ${ROUNDS}, ${new Date().toISOString().slice(0, 10)}.`,
];
console.log(LINES.join('\n'));
if (process.argv.includes('--write')) {
  const path = fileURLToPath(new URL('../../../docs/export.md', import.meta.url));
  const text = readFileSync(path, 'utf8');
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf('<!-- /table -->', begin);
  writeFileSync(path, `${text.slice(0, begin)}\n\n${LINES.join('\n')}\n\n${text.slice(end)}`);
}
