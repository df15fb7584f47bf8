import { matchesGlob } from 'node:path';

import { NODE_LINES, nodeOfLine } from './other-nodes.ts';
import { lastLine, runGroups, type Counts } from './run-groups.ts';

/*
 * Runs the compiled tests under each Node line, one after the other, and adds up their counts.
 * `NODES=22,26 npm run test:nodes -- --grep pool` narrows both; arguments go to mocha.
 *
 * With `BRIEF=1`, as in `.ci/run`, a file runs where its result depends on the line of Node: contexts, the
 * loader and HTTP on every line, the files below on some.
 */

/** Run on Node 20 alone: what has little to do with Node, or takes minutes. */
const ONLY_20 = [
  'build/test/diagnosis/libraries.test.js',
  'build/test/documents/*.test.js',
  'build/test/export/table/*.test.js',
  'build/test/fuzz/*.test.js',
  'build/test/instrumentation/clients/*/{options,versions}.test.js',
  'build/test/instrumentation/clients/reports.test.js',
  'build/test/instrumentation/frameworks/next.test.js',
  'build/test/instrumentation/sql/*.test.js',
  'build/test/jaeger/*.test.js',
  'build/test/{view-page,viewer}/*.test.js',
];
/** Not run on Node 22, whose promises carry contexts as those of 20 do: the clients' API forms. */
const NOT_22 = [
  'build/test/instrumentation/clients/*/*.test.js',
  'build/test/instrumentation/rules/*.test.js',
];
/** Run on Node 20 and the newest LTS line: what starts processes, brokers and threads by the dozen. */
const ONLY_20_AND_24 = [
  'build/test/{cli,examples,export,testing}/*.test.js',
  'build/test/diagnosis/{fix,healthy,other-tracers,own-queues}.test.js',
  'build/test/export/{sdk,sender,spool}/*.test.js',
  'build/test/instrumentation/clients/*.test.js',
  'build/test/instrumentation/clients/{better-sqlite3,sqlite3}/*.test.js',
  'build/test/instrumentation/clients/*/{differential,modules}.test.js',
  'build/test/instrumentation/frameworks/*.test.js',
  'build/test/instrumentation/{loggers,processes}/*.test.js',
  'build/test/instrumentation/messaging/**/*.test.js',
  'build/test/preload/{all-clients,process-managers,real-tools,single-executable,tools}.test.js',
];

const lines = process.env['NODES']?.split(',') ?? NODE_LINES;
const isBrief = process.env['BRIEF'] === '1';
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const table: string[] = [];

for (const line of lines) {
  const node = nodeOfLine(line);
  console.log(`\n=== Node ${line} (${node})`);
  const leftOut = isBrief ? leftOutOn(line) : [];
  if (leftOut.length > 0) console.log(`left out here, as BRIEF is set: ${leftOut.join(', ')}`);
  const isLeftOut = (file: string): boolean => leftOut.some((glob) => matchesGlob(file, glob));
  const counts = await runGroups(node, process.argv.slice(2), isLeftOut);
  for (const name of ['passed', 'failed', 'skipped'] as const) total[name] += counts[name];
  table.push(`Node ${line}: ${lastLine(counts)}`);
}

console.log(`\n${table.join('\n')}`);
console.log(lastLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;

function leftOutOn(line: string): string[] {
  if (line === '20') return [];
  if (line === '24') return ONLY_20;
  return [...ONLY_20, ...ONLY_20_AND_24, ...(line === '22' ? NOT_22 : [])];
}
