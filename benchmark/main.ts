import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { nodeOfLine } from '../test/support/other-nodes.ts';
import { loadWarning } from './harness/environment.ts';
import { GROUP_NAMES, loadGroup } from './harness/groups.ts';
import { startServices } from './harness/services.ts';
import { writeTables } from './report/write.ts';

/*
 * npm run bench -- [group ...] [--quick] [--print] [--nodes 20,24] [--case TEXT] [--variant NAME ...]
 *                  [--rounds N] [--generations N]
 *
 * Measures the groups of `benchmark/groups/`, all if none is named: each on its lines of Node, with the
 * servers it needs. What was measured takes the place of earlier results of the same cases in
 * `benchmark/results/`, and the tables of `benchmark/README.md` and `docs/` are made of those anew.
 * `--quick` measures the cases that matter most in few rounds. `--print`
 * measures without keeping anything. `--tables` measures nothing and makes the tables.
 */
const RUN_GROUP = fileURLToPath(new URL('./harness/run-group.js', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
    nodes: { type: 'string' },
    case: { type: 'string' },
    variant: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    generations: { type: 'string' },
  },
});

const unknown = positionals.filter((name) => !GROUP_NAMES.includes(name));
const uncounted = (['rounds', 'generations'] as const).find(
  (name) => values[name] !== undefined && !(Number(values[name]) >= 1),
);
if (uncounted) {
  console.error(`--${uncounted} needs a number of at least 1, got ${values[uncounted]}.`);
  process.exitCode = 1;
} else if (unknown.length > 0) {
  console.error(`There is no group ${unknown.join(', ')}. There are: ${GROUP_NAMES.join(', ')}.`);
  process.exitCode = 1;
} else {
  const wanted = positionals.length > 0 ? positionals : GROUP_NAMES;
  if (!values.tables) await measure(wanted);
  if (!values.print) await writeTables();
}

async function measure(names: readonly string[]): Promise<void> {
  const warning = loadWarning();
  if (warning) console.error(`warning: ${warning}`);
  const groups = new Map<string, Awaited<ReturnType<typeof loadGroup>>>();
  for (const name of names) groups.set(name, await loadGroup(name));
  const services = await startServices(
    [...groups.values()].flatMap(({ services: needed = [] }) => needed),
  );
  const began = performance.now();
  try {
    for (const [name, group] of groups) {
      const quick = values.quick ? group.quick?.nodes : undefined;
      const nodes = values.nodes?.split(',') ?? quick ?? group.nodes ?? ['24'];
      for (const line of nodes) {
        if (!(await runGroup(name, line, services.env))) process.exitCode = 1;
      }
      const minutes = (performance.now() - began) / 60_000;
      console.log(`\n(${name} done after ${minutes.toFixed(1)} minutes)`);
    }
  } finally {
    await services.stop();
  }
}

/** Whether a group could be measured on a line of Node: one that cannot leaves the others to be. */
async function runGroup(
  name: string,
  line: string,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  const args = [name, ...(values.quick ? ['--quick'] : []), ...(values.print ? ['--print'] : [])];
  for (const option of ['case', 'rounds', 'generations'] as const) {
    if (values[option] !== undefined) args.push(`--${option}`, values[option]);
  }
  for (const variant of values.variant ?? []) args.push('--variant', variant);
  const child = spawn(nodeOfLine(line), [RUN_GROUP, ...args], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) console.error(`FAILED: ${name} on Node ${line} ended with code ${code}`);
  return code === 0;
}
