import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * What a span costs on its way out, beside the SDK's own pipeline: one process per case and round,
 * rounds interleaved, medians. What no pipeline at all costs is subtracted.
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
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const RATE = process.env['RATE'] ?? '5000';
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

console.log(
  `Node ${process.versions.node}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, ${RATE} spans/s, median of ${ROUNDS}`,
);
console.log(`${''.padEnd(24)}main us/span  all us/span  loop p99 ms  loop max ms`);
for (const name of CASES) {
  const main = medianOf(name, 'main') - medianOf('none', 'main');
  const all = medianOf(name, 'all') - medianOf('none', 'all');
  const cells = [main, all, medianOf(name, 'p99'), medianOf(name, 'max')];
  console.log(name.padEnd(24) + cells.map((value) => value.toFixed(1).padStart(11)).join('  '));
}
const memory = await run<{ rss: number; bytes: number }>('./memory.js', { COUNT: '100000' });
console.log(
  `a queued span: ${memory.bytes.toFixed(0)} bytes as stored, ${memory.rss.toFixed(0)} bytes of the process`,
);
collector.close();
collector.closeAllConnections();
rmSync(spool, { recursive: true });
