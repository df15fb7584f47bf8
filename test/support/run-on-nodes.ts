import { matchesGlob } from 'node:path';

import { NODE_LINES, nodeOfLine } from './other-nodes.ts';
import { lastLine, runGroups, type Counts } from './run-groups.ts';

/*
 * Runs the compiled tests under each Node line, one after the other, and adds up their counts.
 * `NODES=22,26 npm run test:nodes -- --grep pool` narrows both; arguments go to mocha.
 *
 * With `BRIEF=1` each file below runs on the lines that it names and on no other: what takes minutes.
 */
const BRIEF: Readonly<Record<string, readonly string[]>> = {
  // What has little to do with the line of Node: a browser, other tools, each option in each API form.
  'build/test/diagnosis/libraries.test.js': ['20'],
  'build/test/instrumentation/clients/*/options.test.js': ['20'],
  'build/test/instrumentation/clients/bundled.test.js': ['20', '24'],
  'build/test/instrumentation/clients/reports.test.js': ['20'],
  'build/test/instrumentation/frameworks/next.test.js': ['20'],
  'build/test/preload/process-managers.test.js': ['20', '24'],
  'build/test/preload/real-tools.test.js': ['20', '24'],
  'build/test/testing/runners.test.js': ['20', '24'],
  'build/test/view-page/*.test.js': ['20'],
  // What starts brokers, threads and processes by the dozen: the oldest line and the newest LTS.
  'build/test/cli/doctor-*.test.js': ['20', '24'],
  'build/test/cli/view.test.js': ['20', '24'],
  'build/test/instrumentation/clients/events.test.js': ['20', '24'],
  'build/test/instrumentation/clients/throwing-calls.test.js': ['20', '24'],
  'build/test/instrumentation/messaging/**/*.test.js': ['20', '24'],
  'build/test/instrumentation/processes/*.test.js': ['20', '24'],
};
const lines = process.env['NODES']?.split(',') ?? NODE_LINES;
const isBrief = process.env['BRIEF'] === '1';
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const table: string[] = [];

for (const line of lines) {
  const node = nodeOfLine(line);
  console.log(`\n=== Node ${line} (${node})`);
  const leftOut = Object.keys(BRIEF).filter((file) => isBrief && !BRIEF[file]?.includes(line));
  if (leftOut.length > 0) console.log(`left out here, as BRIEF is set: ${leftOut.join(', ')}`);
  const isLeftOut = (file: string): boolean => leftOut.some((glob) => matchesGlob(file, glob));
  const counts = await runGroups(node, process.argv.slice(2), isLeftOut);
  for (const name of ['passed', 'failed', 'skipped'] as const) total[name] += counts[name];
  table.push(`Node ${line}: ${lastLine(counts)}`);
}

console.log(`\n${table.join('\n')}`);
console.log(lastLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
