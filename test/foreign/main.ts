import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { NODE_LINES } from '../support/other-nodes.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { cacheFolder } from '../support/user-cache.ts';
import { libraryTests, SUITES } from './libraries.ts';
import { PRELOADS } from './modes.ts';
import { nodeTests } from './node-tests.ts';
import { Report } from './report.ts';
import type { Program } from './run-program.ts';
import { serverFor, stopServers } from './servers.ts';

/*
 * Runs Node's own tests and the suites of libraries, bare and under clew with a context active, one
 * at a time, and fails for each that passes bare and fails under clew, but for the known ones.
 * It fetches nothing: test/foreign/README.md lists what belongs in the folder.
 *
 *   npm run test:foreign -- --node 22,24 --grep 'parallel/test-stream' --verbose
 */
const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    grep: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    preload: { type: 'string', default: '--(?:import|require)' },
    resume: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const folder = process.env['FOREIGN'] ?? cacheFolder('foreign');
const lines = values.node?.split(',') ?? NODE_LINES;
const wanted = new RegExp(values.grep);
const choose = (programs: Program[]): Program[] => programs.filter(({ name }) => wanted.test(name));

const receiver = await new OtlpReceiver().listen();
const report = new Report(join(folder, 'results.jsonl'), {
  preloads: PRELOADS.filter(({ name }) => new RegExp(values.preload).test(name)),
  receiver,
  jobs: Number(values.jobs),
  resume: values.resume,
  verbose: values.verbose,
});
for (const line of lines) {
  await report.run(choose(nodeTests(folder, line)));
  for (const suite of SUITES) {
    const programs = choose(libraryTests(folder, suite, line));
    if (programs.length === 0) continue;
    const server = suite.server && (await serverFor(suite.server));
    if (typeof server === 'string') {
      console.log(`not run: ${suite.name}: ${server}`);
      continue;
    }
    const variables = server && suite.reach?.(new URL(server.url));
    await report.run(
      programs.map((program) => ({ ...program, env: { ...program.env, ...variables } })),
    );
  }
}
await stopServers();
await receiver.close();

if (report.count === 0) {
  const found = existsSync(folder) ? 'nothing that was asked for' : 'no such folder';
  console.log(`${folder}: ${found}. test/foreign/README.md lists what belongs there.`);
}
process.exitCode = report.finish();
