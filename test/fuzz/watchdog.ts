import { Worker } from 'node:worker_threads';

const HANGS_AFTER_MILLIS = 20_000;

/* A thread of its own: the one that hangs cannot report that it does. */
const THREAD = `
const { workerData } = require('node:worker_threads');
const progress = new Int32Array(workerData.shared);
let last = -1;
setInterval(() => {
  const now = Atomics.load(progress, 0);
  if (now === last) {
    require('node:fs').writeSync(2, workerData.message.replaceAll('%', now) + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  last = now;
}, workerData.millis);
`;

/**
 * Ends the process where the returned function is not called with another number for 20 to 40
 * seconds, and prints `message` with the last number in the place of `%`.
 */
export function watch(message: string): { progress: (number: number) => void; stop: () => void } {
  const shared = new SharedArrayBuffer(4);
  const progress = new Int32Array(shared);
  const workerData = { shared, message, millis: HANGS_AFTER_MILLIS };
  const worker = new Worker(THREAD, { eval: true, workerData, execArgv: [] });
  worker.unref();
  return {
    progress: (number) => Atomics.store(progress, 0, number),
    stop: () => void worker.terminate(),
  };
}
