import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { withGenerated } from '../../test/support/generated-part.ts';
import { createInstance, type Instance } from '../../test/support/instances.ts';
import { URL_VARIABLES } from '../../test/support/services.ts';
import { CLIENTS, SELECTION } from './cases.ts';
import { readRuns, renderRuns, withRun } from './table.ts';

/*
 * npm run bench:clients -- [client ...] [--write] [--replay] [the options of npm run bench]
 *
 * Starts the servers that the clients need (all of them if none is named), unless the environment
 * names running ones, and runs the group of benchmarks. With `--write` what was measured takes the
 * place of what was known of the same calls on this line of Node, and the records of all lines
 * become the tables of `benchmark/README.md`. With `--replay` the servers' answers are replayed, for
 * tables of their own.
 */
const SOURCES = new URL('../../../benchmark/', import.meta.url);
const RESULTS = fileURLToPath(new URL('results/', SOURCES));
const README = fileURLToPath(new URL('README.md', SOURCES));
const BENCH = fileURLToPath(new URL('../main.js', import.meta.url));

const group = process.argv.includes('--replay') ? 'clients-replayed' : 'clients';
const isWriting = process.argv.includes('--write');
const given = process.argv.slice(2).filter((argument) => !/^--(?:write|replay)$/.test(argument));
const firstOption = given.findIndex((argument) => argument.startsWith('--'));
const named = firstOption < 0 ? given : given.slice(0, firstOption);
const options = given.slice(named.length);
const unknown = named.filter((name) => !(name in CLIENTS));
if (unknown.length > 0) {
  console.error(
    `No case for ${unknown.join(', ')}. There are: ${Object.keys(CLIENTS).join(', ')}.`,
  );
  process.exit(1);
}
const clients = named.length > 0 ? named : Object.keys(CLIENTS);
const services = new Set(
  clients.map((client) => CLIENTS[client]).filter((service) => service !== undefined),
);
const record = join(mkdtempSync(join(tmpdir(), 'clew-bench-')), 'run.jsonl');
const instances: Instance[] = [];
const env: NodeJS.ProcessEnv = { ...process.env, [SELECTION]: clients.join(',') };
try {
  for (const service of services) {
    const variable = URL_VARIABLES[service];
    if (env[variable]) continue;
    const instance = await createInstance(service);
    if (typeof instance === 'string') {
      console.error(`without ${service}: ${instance}`);
      continue;
    }
    instances.push(instance);
    env[variable] = instance.url;
  }
  const args = [BENCH, group, ...options, ...(isWriting ? ['--json', record] : [])];
  const bench = spawn(process.execPath, args, { env, stdio: 'inherit' });
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
  if (isWriting && code === 0) write();
} finally {
  for (const instance of instances) await instance.stop();
}

function write(): void {
  const [line] = process.versions.node.split('.');
  const isOfGroup = new RegExp(`^${group}-\\d+\\.jsonl$`);
  const file = join(RESULTS, `${group}-${line}.jsonl`);
  const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, withRun(known, readFileSync(record, 'utf8')));
  const tables = readdirSync(RESULTS)
    .filter((name) => isOfGroup.test(name))
    .sort()
    .toReversed()
    .map((name) => renderRuns(readRuns(readFileSync(join(RESULTS, name), 'utf8'))));
  const page = readFileSync(README, 'utf8');
  writeFileSync(README, withGenerated(page, group, tables.join('\n\n')));
}
