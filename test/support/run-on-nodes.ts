import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { once } from 'node:events';

import { NODE_LINES, nodeOfLine } from './other-nodes.ts';

/*
 * Runs the compiled tests under each Node line, one after the other, and adds up their counts.
 * `NODES=22,26 npm run test:nodes -- --grep pool` narrows both; arguments go to mocha.
 *
 * With `BRIEF=1` lines beside the oldest and the newest LTS leave out what takes long and has little to
 * do with the line of Node: other tools with their packages, and each option in each API form.
 */
const LONG = [
  'build/test/diagnosis/libraries.test.js',
  'build/test/instrumentation/clients/*/options.test.js',
  'build/test/instrumentation/clients/bundled.test.js',
  'build/test/preload/process-managers.test.js',
  'build/test/preload/real-tools.test.js',
];
const THOROUGH = new Set(['20', '24']);
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const lines = process.env['NODES']?.split(',') ?? NODE_LINES;
const total = { passed: 0, failed: 0, skipped: 0 };
const table: string[] = [];

for (const line of lines) {
  const node = nodeOfLine(line);
  console.log(`\n=== Node ${line} (${node})`);
  const isBrief = process.env['BRIEF'] === '1' && !THOROUGH.has(line);
  const left = isBrief ? LONG.flatMap((file) => ['--ignore', file]) : [];
  if (isBrief) console.log(`not run on this line, as BRIEF is set: ${LONG.join(', ')}`);
  const child = spawn(node, [mocha, ...left, ...process.argv.slice(2)], {
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    output = (output + chunk.toString()).slice(-2000);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output);
  total.passed += Number(counts?.[1] ?? 0);
  // A run that died before it counted is one failure, not none.
  const failed = Number(counts?.[2] ?? 0);
  total.failed += failed === 0 && code !== 0 ? 1 : failed;
  total.skipped += Number(counts?.[3] ?? 0);
  table.push(`Node ${line}: ${counts?.[0].trim() ?? `ended with code ${code} before counting`}`);
}

console.log(`\n${table.join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
