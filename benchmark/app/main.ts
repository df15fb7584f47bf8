import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { withGenerated } from '../../test/support/generated-part.ts';
import { createInstance, type Instance } from '../../test/support/instances.ts';
import { environment, loadWarning } from '../harness/environment.ts';
import { Running, timeToStart, type Round } from './measure.ts';
import { renderTable, type Measured } from './table.ts';
import { PEERS, VARIANTS } from './variants.ts';

/*
 * npm run bench:app -- [plain|express|fastify ...] [--variant NAME ...] [--rounds N]
 *                      [--requests N] [--connections N] [--write]
 *
 * The same small service under each tool's own preload, every span really sent to a collector on
 * loopback: CPU of the service's process for a request, requests a second, latency, memory, time to
 * start, bytes sent. All variants run at once and take turns (A B C, C B A), so that whatever else
 * the machine does hits each alike. `--write` puts the tables into `benchmark/README.md`.
 */
const FRAMEWORKS = ['plain', 'express', 'fastify'];
const README = fileURLToPath(new URL('../../../benchmark/README.md', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    variant: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    // A round is longer than the seconds in which each tool sends what it has.
    requests: { type: 'string', default: '8000' },
    connections: { type: 'string', default: '8' },
    starts: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const numbers = ['rounds', 'requests', 'connections', 'starts'] as const;

const variants = ['bare', ...(values.variant ?? Object.keys(VARIANTS))].filter(
  (name, index, all) => all.indexOf(name) === index,
);
const frameworks = positionals.length > 0 ? positionals : FRAMEWORKS;
const wrong =
  variants.find((name) => !(name in VARIANTS)) ??
  frameworks.find((name) => !FRAMEWORKS.includes(name)) ??
  numbers.find((name) => !(Number(values[name]) >= 1));
if (wrong === undefined) await main();
else {
  console.error(
    `Cannot measure ${wrong}. Variants: ${Object.keys(VARIANTS).join(', ')}. ` +
      `Frameworks: ${FRAMEWORKS.join(', ')}. ${numbers.join(', ')} are numbers of at least 1.`,
  );
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const warning = loadWarning();
  if (warning) console.error(`warning: ${warning}`);
  const instances: Instance[] = [];
  try {
    const servers: Record<string, string> = {};
    for (const [service, variable] of [
      ['postgresql', 'DATABASE_URL'],
      ['redis', 'REDIS_URL'],
    ] as const) {
      const instance = await createInstance(service);
      if (typeof instance === 'string') throw new Error(`There is no ${service}: ${instance}`);
      instances.push(instance);
      servers[variable] = instance.url;
    }
    const tables: string[] = [];
    for (const framework of frameworks) {
      const measured = await measure(framework, servers);
      const table = renderTable(framework, measured);
      console.log(`\n${table}`);
      tables.push(table);
    }
    const { node, cpu, cores, date } = environment() as Record<string, string>;
    const head =
      `Node ${node?.slice(1)}, ${cpu}, ${cores} cores, ${date?.slice(0, 10)}; ${PEERS.join(', ')};\n` +
      `${values.connections} connections; medians of ${values.rounds} rounds of ${values.requests} requests.`;
    console.log(`\n${head}`);
    if (values.write) {
      const page = readFileSync(README, 'utf8');
      writeFileSync(README, withGenerated(page, 'app', [head, ...tables].join('\n\n')));
    }
  } finally {
    for (const instance of instances) await instance.stop();
  }
}

async function measure(
  framework: string,
  servers: Record<string, string>,
): Promise<Map<string, Measured>> {
  const running = new Map<string, Running>();
  const measured = new Map<string, Measured>();
  try {
    for (const name of variants) {
      const service = await Running.start(name, framework, servers, Number(values.connections));
      running.set(name, service);
      await service.preflight(name);
      await service.warmUp();
      measured.set(name, { rounds: [] as Round[], starts: [] });
    }
    for (let round = 0; round < Number(values.rounds); round += 1) {
      // There and back again, so that none is always the one after another.
      const inTurn = round % 2 === 0 ? [...running] : [...running].toReversed();
      for (const [name, service] of inTurn) {
        measured.get(name)?.rounds.push(await service.round(Number(values.requests)));
      }
    }
  } finally {
    for (const service of running.values()) await service.stop();
  }
  for (let start = 0; start < Number(values.starts); start += 1) {
    for (const [name, { starts }] of measured) {
      starts.push(await timeToStart(name, framework, servers));
    }
  }
  return measured;
}
