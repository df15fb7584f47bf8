import { cpuSince } from './cpu.ts';
import type { BenchmarkGroup, Metrics, Prepared } from './group.ts';

/*
 * One case of one variant in a process of its own. It prepares, checks itself, finds out how many
 * operations make a sample, and then waits: each message is one round, and the answer is what one
 * operation cost in it.
 */
const SAMPLE_MS = 40;
const [groupFile, caseName, variant] = process.argv.slice(2) as [string, string, string];
const { group } = (await import(groupFile)) as { group: BenchmarkGroup };
const found = group.cases.find(({ name }) => name === caseName);
if (found === undefined) throw new Error(`There is no case ${caseName}`);

const prepared = await found.prepare(variant);
await prepared.preflight();
// The compiler has settled after some samples; what it did until then is nobody's cost. Only then is
// it known how many operations fill a sample: with those of cold code it would be a tenth as long.
if (prepared.warmUps !== 0) await warmUp(prepared.count ?? (await calibrate(prepared)));
const count = prepared.count ?? (await calibrate(prepared));
process.send?.({ ready: count });

process.on('message', (message) => {
  if (message === 'round') void round().then((cost) => process.send?.({ cost }));
  else void Promise.resolve(prepared.close?.()).then(() => process.disconnect());
});

/** What an operation costs, once the processor's caches hold what the other variants evicted. */
async function round(): Promise<number | Metrics> {
  if (prepared.warmUps !== 0) await sample(prepared, Math.ceil(count / 4));
  return sample(prepared, count);
}

async function warmUp(operations: number): Promise<void> {
  const samples = prepared.warmUps ?? 5;
  for (let made = 0; made < samples; made += 1) await sample(prepared, operations);
}

async function sample(target: Prepared, operations: number): Promise<number | Metrics> {
  const before = process.cpuUsage();
  const result = target.run(operations);
  const own = result instanceof Promise ? await result : result;
  if (typeof own === 'object') return own;
  return (typeof own === 'number' ? own : cpuSince(before)) / operations;
}

async function calibrate(target: Prepared): Promise<number> {
  for (let operations = 64; ; operations *= 2) {
    const start = performance.now();
    await target.run(operations);
    if (performance.now() - start >= SAMPLE_MS) return operations;
  }
}

// The harness is gone: nobody will send `close` any more.
process.on('disconnect', () => process.exit());
