import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { publishedFolder } from '../app/published.ts';
import { applicationFolder, VARIANTS } from '../app/variants.ts';
import type { BenchmarkGroup } from '../harness/group.ts';

/* Starts worker threads, one after the other, in a process that was started as each variant is. */
const FILE = fileURLToPath(new URL('../workers/worker.js', import.meta.url));

/** Milliseconds until the first message of a worker thread. */
async function startWorker(): Promise<number> {
  const before = performance.now();
  const worker = new Worker(FILE);
  await once(worker, 'message');
  const elapsed = performance.now() - before;
  await worker.terminate();
  return elapsed;
}

export const group: BenchmarkGroup = {
  description:
    'the start of a worker thread to its first message, in a process without a preload, under that of this package and of the others',
  mark: 'bench-workers',
  variants: ['bare', 'clew', 'official', 'dd-trace', 'Sentry'],
  baseline: 'bare',
  ours: ['clew'],
  peers: ['official', 'dd-trace', 'Sentry'],
  launch: (variant) => {
    const folder = variant === 'bare' ? '' : applicationFolder();
    const started = VARIANTS[variant]!;
    return {
      execArgv: started.args(folder),
      cwd: publishedFolder(),
      env: { ...started.env('http://127.0.0.1:9'), OTEL_TRACES_EXPORTER: 'none' },
    };
  },
  rounds: 9,
  quick: { variants: ['clew', 'official'] },
  cases: [
    {
      name: 'start of a worker thread',
      unit: 'ms',
      prepare: () => ({
        // The first one loads what the process itself has not loaded yet, and is not counted.
        preflight: async () => void (await startWorker()),
        run: async (count) => {
          let elapsed = 0;
          for (let started = 0; started < count; started += 1) elapsed += await startWorker();
          return elapsed;
        },
        count: 3,
        warmUps: 0,
      }),
    },
  ],
};
