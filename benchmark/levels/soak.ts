import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { AsyncResourceTracer } from '../../src/tracer/async-resource-tracer.ts';

/*
 * A million promises, a hundred thousand timers and ten thousand sockets under each level, after
 * which the tables have to be empty and the heap where it was.
 *
 *   npm run test:soak            (a divisor as argument makes it shorter)
 */
const divisor = Number(process.argv[2] ?? 1);
const LEVELS = ['watch', 'trace', 'deep'] as const;
const PROMISES = 1_000_000 / divisor;
const TIMERS = 100_000 / divisor;
const SOCKETS = 10_000 / divisor;
/** What a heap may grow by, in megabytes, once the code is warm. */
const ALLOWED_MEGABYTES = 8;

let failed = false;

for (const level of LEVELS) {
  // The first round warms code and pools up; the second may not leave anything behind.
  await round(level, 10);
  const before = await heap();
  const started = performance.now();
  const { peak, stats, traces } = await round(level, 1);
  const grown = (await heap()) - before;
  const { records, groups, waiting, origins, requests } = stats;
  const left = records + groups + waiting + origins + requests;
  const isGood = left === 0 && grown < ALLOWED_MEGABYTES;
  failed ||= !isGood;
  console.log(
    JSON.stringify({
      bench: 'tracer/soak',
      node: process.version,
      level,
      isGood,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      traces,
      peakRecords: peak,
      leftInTables: left,
      dropped: stats.dropped,
      heapGrownMegabytes: Math.round(grown * 10) / 10,
    }),
  );
}
process.exitCode = failed ? 1 : 0;

async function round(
  level: (typeof LEVELS)[number],
  share: number,
): Promise<{ peak: number; traces: number; stats: ReturnType<AsyncResourceTracer['stats']> }> {
  let traces = 0;
  let peak = 0;
  const tracer = new AsyncResourceTracer({ level, onTrace: () => void traces++ }).start();
  const look = (): void => {
    const { records, waiting } = tracer.stats();
    peak = Math.max(peak, records + waiting);
  };
  for (let i = 0; i < PROMISES / share; i++) {
    await Promise.resolve(i);
    if (i % 10_000 === 0) {
      look();
      await sleep(1);
    }
  }
  const timers: Promise<void>[] = [];
  for (let i = 0; i < TIMERS / share; i++) timers.push(sleep(i % 50));
  await Promise.all(timers);
  look();
  await sockets(SOCKETS / share);
  look();
  tracer.stop();
  return { peak, traces, stats: tracer.stats() };
}

async function sockets(count: number): Promise<void> {
  const server = createServer((socket) => socket.end('x')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let done = 0; done < count; done += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - done) }, async () => {
        const socket = connect(port, '127.0.0.1').resume();
        await once(socket, 'close');
      }),
    );
  }
  server.close();
}

async function heap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}
