import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

/*
 * What a level of the tracer costs: CPU time of the server per request, over three times 10,000
 * requests for each variant, in rounds that take turns between the variants so that all see the
 * same machine. The first variant is what the others are compared with.
 *
 *   npm run build && node build/benchmark/tracer/cost.js [rounds] [variants]
 */
const rounds = Number(process.argv[2] ?? 20);
const variants = (process.argv[3] ?? 'bare,off,watch,sampled,trace').split(',');
/** Servers differ a little from start to start. */
const REPEATS = 3;
const REQUESTS = Math.ceil(10_000 / rounds);
const CONNECTIONS = 16;
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

interface Server {
  variant: string;
  child: ChildProcess;
  sockets: Socket[];
  /** Microseconds per request in the last round. */
  micros: number;
}

/** What each variant used, and how much more than the first in the same round. */
const used = new Map<string, number[]>(variants.map((variant) => [variant, []]));
const added = new Map<string, number[]>(variants.map((variant) => [variant, []]));
for (let repeat = 0; repeat < REPEATS; repeat++) await measure();
console.log(
  JSON.stringify({
    bench: 'tracer/cost',
    node: process.versions.node,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    load: loadavg()[0],
    requests: REQUESTS * rounds * REPEATS,
    rounds: rounds * REPEATS,
    microsPerRequest: medians(used),
    // Paired by round: what the machine did in that moment, it did to all.
    added: medians(added),
  }),
);

async function measure(): Promise<void> {
  const servers: Server[] = [];
  for (const variant of variants) servers.push(await start(variant));
  for (const server of servers) await load(server, 5000);
  for (let round = 0; round < rounds; round++) {
    // There and back again, so that none is always the one after another.
    const inTurn = round % 2 === 0 ? servers : servers.toReversed();
    for (const server of inTurn) {
      const before = await cpu(server);
      await load(server, REQUESTS);
      server.micros = ((await cpu(server)) - before) / REQUESTS;
    }
    for (const { variant, micros } of servers) {
      used.get(variant)?.push(micros);
      added.get(variant)?.push(micros - (servers[0]?.micros ?? 0));
    }
  }
  for (const { child, sockets } of servers) {
    for (const socket of sockets) socket.destroy();
    child.kill();
  }
}

async function start(variant: string): Promise<Server> {
  const child = fork(fileURLToPath(new URL('./server.js', import.meta.url)), [variant]);
  const [port] = (await once(child, 'message')) as [number];
  const sockets: Socket[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return { variant, child, sockets, micros: 0 };
}

/** Sends `count` requests over all connections; a response here is always one chunk. */
async function load({ sockets }: Server, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          const next = (): void => {
            if (left-- > 0) {
              socket.write(REQUEST);
              return;
            }
            socket.off('data', next);
            resolve();
          };
          socket.on('data', next);
          next();
        }),
    ),
  );
}

async function cpu({ child }: Server): Promise<number> {
  child.send('cpu');
  const [micros] = (await once(child, 'message')) as [number];
  return micros;
}

function medians(values: Map<string, number[]>): Record<string, number> {
  return Object.fromEntries([...values].map(([name, list]) => [name, round2(median(list))]));
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
