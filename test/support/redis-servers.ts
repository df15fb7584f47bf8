import { rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

import { findBinary } from './find-binary.ts';
import { freePort, launch, temporaryFolder, type Instance } from './instances.ts';

/* Redis in more than one process: a cluster of three servers, a server with a sentinel. */

const NO_SERVER = 'no redis-server on this machine';

/** How many of the 16384 slots each of three servers has. */
const RANGES = ['0 5460', '5461 10922', '10923 16383'];

/** The name under which the sentinel knows its server. */
export const SENTINEL_NAME = 'clew';

/** Three servers with a third of the slots each, and no replicas. The URL is that of the first. */
export async function redisCluster(): Promise<Instance | string> {
  const command = findBinary(['redis-server', 'valkey-server']);
  if (!command) return NO_SERVER;
  const ports: number[] = [];
  for (let index = 0; index < 2 * RANGES.length; index += 1) ports.push(await freePort());
  const [first = 0, ...others] = ports.slice(0, RANGES.length);
  const buses = ports.slice(RANGES.length);
  const servers = await Promise.all(
    [first, ...others].map((port, index) => {
      const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(buses[index])];
      return server(command, port, [...cluster, '--cluster-node-timeout', '5000']);
    }),
  );
  for (const [index, port] of [first, ...others].entries()) {
    await send(port, `CLUSTER ADDSLOTSRANGE ${RANGES[index]}`);
    await send(port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (port !== first) await send(port, `CLUSTER MEET 127.0.0.1 ${first} ${buses[0]}`);
  }
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((each) => each.stop()));
  };
  const agree = async (port: number): Promise<boolean> => {
    const info = await send(port, 'CLUSTER INFO');
    return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
  };
  for (const port of [first, ...others]) await until(() => agree(port), stop);
  return { url: `redis://127.0.0.1:${first}`, stop };
}

/** A server, and one sentinel that watches it. The URL is the sentinel's. */
export async function redisSentinel(): Promise<Instance | string> {
  const command = findBinary(['redis-server', 'valkey-server']);
  if (!command) return NO_SERVER;
  const watched = await freePort();
  const master = await server(command, watched, []);
  const port = await freePort();
  const folder = temporaryFolder(undefined);
  // A sentinel writes into its configuration.
  const config = join(folder, 'sentinel.conf');
  writeFileSync(config, `sentinel monitor ${SENTINEL_NAME} 127.0.0.1 ${watched} 1\n`);
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const args = [config, '--sentinel', ...options];
  const sentinel = await launch({ command, args, port, folder });
  const stop = async (): Promise<void> => {
    await Promise.all([sentinel.stop(), master.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, stop };
}

async function server(command: string, port: number, options: string[]): Promise<Instance> {
  const folder = temporaryFolder(undefined);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  return launch({ command, args: [...args, ...options], port, folder });
}

/** Sends a command by itself and returns the first of its reply. */
async function send(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = reply.toString();
  if (text.startsWith('-')) throw new Error(`${command}: ${text}`);
  return text;
}

async function until(
  isSo: () => Promise<boolean>,
  stop: () => Promise<void>,
  every = 50,
): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await isSo());) {
    if (Date.now() > deadline) {
      await stop();
      throw new Error('the cluster did not come together');
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** A slot of a cluster, the server that has it, and another one. */
interface Slot {
  slot: number;
  ports: number[];
  owner: { id: string; port: number };
  other: { id: string; port: number };
}

/** Gives the slot of `key`, which must be empty, to another server: clients are told `MOVED`. */
export async function moveSlot(url: string, key: string): Promise<void> {
  const { slot, ports, owner, other } = await announceMove(url, key);
  await send(other.port, `CLUSTER SETSLOT ${slot} NODE ${other.id}`);
  await send(owner.port, `CLUSTER SETSLOT ${slot} NODE ${other.id}`);
  for (const port of ports) await send(port, `CLUSTER SETSLOT ${slot} NODE ${other.id}`);
}

/**
 * Lets two servers move the slot of `key`: clients are told `ASK` for what is not in it. The returned
 * function ends that.
 */
export async function beginMove(url: string, key: string): Promise<() => Promise<void>> {
  const { slot, owner, other } = await announceMove(url, key);
  return async () => {
    await send(owner.port, `CLUSTER SETSLOT ${slot} STABLE`);
    await send(other.port, `CLUSTER SETSLOT ${slot} STABLE`);
  };
}

async function announceMove(url: string, key: string): Promise<Slot> {
  const found = await findSlot(Number(new URL(url).port), key);
  await send(found.other.port, `CLUSTER SETSLOT ${found.slot} IMPORTING ${found.owner.id}`);
  await send(found.owner.port, `CLUSTER SETSLOT ${found.slot} MIGRATING ${found.other.id}`);
  return found;
}

async function findSlot(port: number, key: string): Promise<Slot> {
  const slot = Number((await send(port, `CLUSTER KEYSLOT ${key}`)).slice(1));
  const nodes = await agreed(port);
  const owns = (ranges: string[]): boolean =>
    ranges.some((range) => {
      const [from = -1, to = from] = range.split('-').map(Number);
      return from <= slot && slot <= to;
    });
  const owner = nodes.find(({ ranges }) => owns(ranges));
  const other = nodes.find((node) => node !== owner);
  if (!owner || !other) throw new Error(`nobody has slot ${slot}`);
  return { slot, ports: nodes.map((node) => node.port), owner, other };
}

interface ClusterNode {
  id: string;
  port: number;
  epoch: string;
  ranges: string[];
}

/** What all servers say once news of the last move has reached them: a move before is lost. */
async function agreed(port: number): Promise<ClusterNode[]> {
  let nodes = await nodesAt(port);
  const isSame = async (): Promise<boolean> => {
    nodes = await nodesAt(port);
    const views = await Promise.all(nodes.map((node) => nodesAt(node.port)));
    return views.every((view) => JSON.stringify(view) === JSON.stringify(nodes));
  };
  await until(isSame, async () => undefined, 5);
  return nodes;
}

async function nodesAt(port: number): Promise<ClusterNode[]> {
  return (await send(port, 'CLUSTER NODES'))
    .split('\n')
    .filter((line) => line.includes('master'))
    .map((line) => {
      const [id = '', address = '', , , , , epoch = '', , ...all] = line.trim().split(' ');
      const ranges = all.filter((range) => !range.startsWith('['));
      return { id, port: Number(/:(\d+)@/.exec(address)?.[1]), epoch, ranges };
    })
    .sort((a, b) => a.port - b.port);
}
