import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { withGenerated } from '../../test/support/generated-part.ts';
import { createInstance, type Instance } from '../../test/support/instances.ts';
import { readRun, renderRun } from './table.ts';
import { URL_VARIABLES, type ServiceName } from '../../test/support/services.ts';

/*
 * Starts the database servers, unless the environment names running ones, and runs the group of
 * benchmarks that needs them: `npm run bench:clients -- [--write] [the options of npm run bench]`.
 * With `--write` what was measured becomes the record of this line of Node, and the records of all
 * lines become the tables of `benchmark/README.md`.
 */
const SOURCES = new URL('../../../benchmark/', import.meta.url);
const RESULTS = fileURLToPath(new URL('clients/results/', SOURCES));
const README = fileURLToPath(new URL('README.md', SOURCES));
const BENCH = fileURLToPath(new URL('../main.js', import.meta.url));
const SERVICES: ServiceName[] = ['postgresql', 'mariadb', 'redis'];

const isWriting = process.argv.includes('--write');
const options = process.argv.slice(2).filter((option) => option !== '--write');
const record = join(mkdtempSync(join(tmpdir(), 'clew-bench-')), 'run.jsonl');
const instances: Instance[] = [];
const env = { ...process.env };
try {
  for (const service of SERVICES) {
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
  const args = [BENCH, 'clients', ...options, ...(isWriting ? ['--json', record] : [])];
  const bench = spawn(process.execPath, args, { env, stdio: 'inherit' });
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
  if (isWriting && code === 0) write();
} finally {
  for (const instance of instances) await instance.stop();
}

function write(): void {
  const [line] = process.versions.node.split('.');
  writeFileSync(join(RESULTS, `node-${line}.jsonl`), readFileSync(record));
  const runs = readdirSync(RESULTS)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .toReversed()
    .map((file) => renderRun(readRun(readFileSync(join(RESULTS, file), 'utf8'))));
  const page = readFileSync(README, 'utf8');
  writeFileSync(README, withGenerated(page, 'clients', runs.join('\n\n')));
}
