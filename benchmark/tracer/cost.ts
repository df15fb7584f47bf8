import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

/*
 * What a level of the tracer costs: CPU time of the server per request, over 10,000 requests for
 * each variant, in rounds that take turns between the variants so that all see the same machine.
 *
 *   npm run build && node build/benchmark/tracer/cost.js [rounds] [variants]
 */
const rounds = Number(process.argv[2] ?? 20);
const variants = (process.argv[3] ?? 'bare,off,watch,sampled,trace').split(',');
const REQUESTS = Math.ceil(10_000 / rounds);
const CONNECTIONS = 16;
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

interface Server {
  variant: string;
  child: ChildProcess;
  sockets: Socket[];
  micros: number[];
}

const servers: Server[] = [];
for (const variant of variants) servers.push(await start(variant));
for (const server of servers) await load(server, 3000);
for (let round = 0; round < rounds; round++) {
  for (const server of servers) {
    const before = await cpu(server);
    await load(server, REQUESTS);
    server.micros.push(((await cpu(server)) - before) / REQUESTS);
  }
}
for (const { child, sockets } of servers) {
  for (const socket of sockets) socket.destroy();
  child.kill();
}
const bare = median(servers[0]?.micros ?? []);
console.log(
  JSON.stringify({
    bench: 'tracer/cost',
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    load: loadavg()[0],
    requests: REQUESTS * rounds,
    rounds,
    microsPerRequest: Object.fromEntries(servers.map((s) => [s.variant, round2(median(s.micros))])),
    // Paired by round: what the machine did in that minute, it did to both.
    added: Object.fromEntries(servers.map((s) => [s.variant, round2(median(pairs(s)))])),
    ratio: Object.fromEntries(servers.map((s) => [s.variant, round2(median(s.micros) / bare)])),
  }),
);

async function start(variant: string): Promise<Server> {
  const child = fork(fileURLToPath(new URL('./server.js', import.meta.url)), [variant]);
  const [port] = (await once(child, 'message')) as [number];
  const sockets: Socket[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  return { variant, child, sockets, micros: [] };
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

function pairs(server: Server): number[] {
  return server.micros.map((micros, i) => micros - (servers[0]?.micros[i] ?? 0));
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
